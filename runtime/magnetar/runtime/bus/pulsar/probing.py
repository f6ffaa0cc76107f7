"""Questions that tell who is silent: one host of the service URL, or the broker of one consumer (R32).

Whether *a* broker answers, a ping tells. It goes to all hosts in turn, and so it is answered while one stands still.
These go to one only: to a host through a client that knows no other, and to a consumer's broker through the consumer.
"""

from __future__ import annotations

import time
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.bus.pulsar.errors import KIND_OF
from magnetar.runtime.bus.pulsar.hosts import Hearing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from magnetar.runtime.bus.pulsar.native import NativeClient, NativeConsumer, NativeResult

_PAUSE = 1.0
"""Seconds between two questions to the same."""


class Ear:
    """Asks one, and remembers whether it is silent. Any thread; never blocks.

    The answer is put into a dictionary, in C: see `native`. Any answer but that nothing could be reached is a good one.
    """

    def __init__(self, patience: float, clock: Callable[[], float], *, silent: bool = False) -> None:
        """`patience`: seconds. `silent`: what was known before."""
        self._patience = patience
        self._clock = clock
        self._hearing = Hearing(silent=silent)
        self._box: dict[NativeResult, object] = {}
        self._lock = Lock()

    def ask(self, question: Callable[[Callable[[NativeResult, object], object]], object]) -> None:
        """Put the question, unless one is open or was just answered."""
        with self._lock:
            now = self._clock()
            self._hear(now)
            if not self._hearing.may_ask(now, _PAUSE):
                return
            self._hearing, self._box = self._hearing.ask(now), {}
            question(self._box.setdefault)

    def silent(self) -> bool:
        """Whether the last question failed, or has waited too long."""
        with self._lock:
            self._hear(self._clock())
            return self._hearing.silent

    def _hear(self, now: float) -> None:
        said = next(iter(list(self._box)), None)  # the client's thread adds to it meanwhile
        answer = None if said is None else _is_good(said)
        self._hearing = self._hearing.hear(now, answer, self._patience)


def _is_good(said: NativeResult) -> bool:
    return said.name == "Ok" or not issubclass(KIND_OF.get(said.name, BusUnavailable), BusUnavailable)


class Probes:
    """Who of the hosts is silent."""

    def __init__(
        self,
        clients: Mapping[str, NativeClient],
        patience: float,
        silent: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clients`: for each host one that knows no other. `silent`: which were, by those who asked before."""
        self._clients = clients
        self._ears = {host: Ear(patience, clock, silent=host in silent) for host in clients}

    def ask(self, topic: str) -> None:
        """Ask each for the partitions of a topic. Any thread; never blocks."""
        for host, ear in self._ears.items():
            ear.ask(partial(self._clients[host].get_topic_partitions_async, topic))

    def silent(self) -> frozenset[str]:
        """Those that do not answer, as far as they were asked."""
        return frozenset(host for host, ear in self._ears.items() if ear.silent())

    @property
    def clients(self) -> tuple[NativeClient, ...]:
        """To be closed."""
        return tuple(self._clients.values())


class Doubt:
    """Whether a consumer that its client believes connected has lost its broker.

    The client finds out after 30 to 60 s. Asking costs a question for each consumer, so it is done only while there is
    a reason, and from then on until it is answered.
    """

    def __init__(
        self,
        consumer: NativeConsumer,
        reason: Callable[[], bool],
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`reason`: whether there is one; `patience`: seconds."""
        self._consumer = consumer
        self._reason = reason
        self._ear = Ear(patience, clock)

    def holds(self) -> bool:
        """Whether the broker is silent. Asks as well. Any thread; never blocks."""
        silent = self._ear.silent()
        if silent or self._reason():
            self._ear.ask(self._consumer.get_last_message_id_async)
        return silent
