"""Putting a subscription back to a position.

What the client's seek does, as seen on a real broker: it takes 0.1 s, for the broker drops the consumer, which comes
back by itself with an empty queue. The client then drops all up to and including the position, one by one in a batch
too. But the broker's own cursor is set to the message *before* it: should the consumer connect again, the message at
the position would come as well. An ack of the position mends that. A position of a ledger that the broker does not keep
is taken without a word, and the next delivery is then the first one that is kept.
"""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import EARLIEST, BusUnavailable
from magnetar.runtime.bus.pulsar import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.port import BusError, Position
    from magnetar.runtime.bus.pulsar.consumer import PulsarConsumer
    from magnetar.runtime.bus.pulsar.native import NativeResult


class PulsarSeek:
    """A seek on its way, polled by the loop.

    Args:
        consumer: what is put back.
        position: to where.
        doing: what was asked, for error messages.
        deadline: seconds from now, longer than the client's own.
        refusal: fail with this; then nothing was asked.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        consumer: PulsarConsumer,
        position: Position,
        doing: str,
        deadline: float,
        refusal: BusError | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.answer: SimpleQueue[NativeResult] = SimpleQueue()
        """Its `put` is for the client to call."""
        self._consumer = consumer
        self._position = position
        self._doing = doing
        self._clock = clock
        self._until = clock() + deadline
        self._failure = refusal
        self._done = False

    def poll(self) -> PulsarConsumer | None:
        """The consumer, once it is put back, or None; raises the `BusError` it failed with. Never blocks."""
        if self._failure is None and not self._done:
            self._look()
        if self._failure is not None:
            raise self._failure
        return self._consumer if self._done else None

    def abandon(self) -> None:
        """Where the subscription stands is unknown from now on: the consumer's owner closes it."""
        if not self._done:
            self._failure = self._failure or BusUnavailable(f"{self._doing}: abandoned; subscribe anew")

    def _look(self) -> None:
        try:
            result = self.answer.get_nowait()
        except Empty:
            if self._clock() > self._until:
                self._failure = BusUnavailable(f"{self._doing}: the client has not answered in time; subscribe anew")
            return
        if result.name != "Ok":
            self._failure = errors.from_result(result, self._doing)
            return
        self._done = True
        if self._position != EARLIEST:
            self._consumer.acknowledge(self._position)
