"""A named producer on one partition.

**The send time-out is ours.** The client's own fails every pending send in its I/O thread and then takes the next
one: a higher number can reach the broker between that moment and the poll in which the relay learns of the
failure. The broker would drop the lower numbers as duplicates when they are sent again, and they would be lost
(R19). So the client never times out here. Instead, a producer without a receipt for `send_timeout` seconds ends
itself: the client then refuses everything that follows, at once and for good, and the relay opens a new one.
The same happens after any other failed receipt.

**Receipts are recorded in C.** Each send gets a dictionary whose `setdefault` is the callback. It only stores the
result: no Python runs in the client's I/O thread, where an exception would end the process. It is no slower than a
lambda (of the process's CPU 23-33 µs a send, 24-40 with a lambda; four interleaved runs on a busy machine).
"""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusError, BusUnavailable, Closed, Position, Receipt
from magnetar.runtime.bus.pulsar import errors, native

if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue

    from magnetar.runtime.bus.port import Outgoing
    from magnetar.runtime.bus.pulsar.closing import Farewell
    from magnetar.runtime.bus.pulsar.native import NativeMessageId, NativeProducer, NativeResult, OutgoingMessage

_log = logging.getLogger(__name__)

# What the client answers at once, in the call itself, without having taken the message.
_NOT_TAKEN = frozenset({"AlreadyClosed", "MemoryBufferIsFull", "MessageTooBig", "NotConnected", "ProducerQueueIsFull"})

_LATE = 1.0
"""Seconds without a receipt that is due, from when on it is asked whether a broker is silent."""

Box = dict["NativeResult", "NativeMessageId"]
"""Where the client puts the outcome of one send; empty until then."""


class PulsarProducer:
    """See `Producer`. One thread, the loop's, calls all of it.

    Args:
        producer: the client's object.
        name: `topic/partition as name`, for messages.
        send_timeout: seconds without any receipt, while some are due, after which the producer ends itself: it may be
            that the broker is busy. Half of them when one is known to be silent, for then it rather is this one (R32).
        farewell: closes it in bounded time.
        clock: seconds, monotonic.
        silent: whether a broker is known to be silent. Asked only when a receipt is late; finds out meanwhile.
    """

    def __init__(
        self,
        producer: NativeProducer,
        name: str,
        send_timeout: float,
        farewell: Farewell,
        clock: Callable[[], float] = time.monotonic,
        silent: Callable[[], bool] = bool,
    ) -> None:
        self._producer = producer
        self._silent = silent
        self._name = name
        self._send_timeout = send_timeout
        self._farewell = farewell
        self._clock = clock
        self._last_number = max(0, producer.last_sequence_id())
        self._pending: deque[tuple[int, Box]] = deque()
        self._progress = clock()
        self._ended: BusError | None = None
        self._closing: SimpleQueue[NativeResult] | None = None

    @property
    def last_number(self) -> int:
        """The highest number the broker has seen from this name at the opening; 0 for a new name. A hint (R19)."""
        return self._last_number

    def send(self, number: int, message: Outgoing) -> None:
        """Start sending; never blocks.

        Raises `Refused` for a message over the broker's size limit, `Closed` once this producer has ended, and
        `BusUnavailable` when too many sends are unanswered. What raises was not sent and gets no receipt.
        """
        if number < 1:
            raise ValueError(f"number {number} for {self._name}: numbers start at 1 (the client drops a zero)")
        if self._ended is not None:
            raise Closed(f"send {number} to {self._name}: closed ({self._ended}); open a new one")
        if not self._pending:
            self._progress = self._clock()
        box: Box = {}
        self._producer.send_async(_built(number, message), box.setdefault)
        if box:
            self._raise_if_not_taken(number, box)
        self._pending.append((number, box))

    def receipts(self) -> list[Receipt]:
        """The receipts since the last call, in the order of sending; never blocks.

        A failed one ends this producer: everything that is still unanswered then fails with it.
        """
        receipts = self._arrived()
        if self._pending and self._ended is None:
            waited, patience = self._clock() - self._progress, self._send_timeout
            if waited > _LATE and self._silent():
                patience /= 2
            if waited > patience:
                self._end(BusUnavailable(f"no receipt from {self._name} for {patience} s"))
                receipts += self._arrived()
        return receipts

    def leave(self) -> None:
        """Begin to close: the client takes nothing more, and fails all pending sends before this returns."""
        if self._ended is None:
            self._begin_to_end(Closed(f"{self._name} was closed here"))

    def close(self) -> None:
        """Close; every unanswered send gets a receipt with an error: its outcome is unknown.

        When it returns, the client has dropped what it held and never connects again for this producer. With the
        broker's answer, nothing of it can be stored later. Without one (a frozen or unreachable broker; a warning
        is logged), bytes that had already left for the network may still be stored when the broker comes back:
        under their own numbers, so that the same rows sent again by anybody are dropped as duplicates.
        """
        self.leave()
        self._finish()

    def _arrived(self) -> list[Receipt]:
        receipts: list[Receipt] = []
        pending = self._pending
        while pending and pending[0][1]:
            number, box = pending.popleft()
            receipts.append(self._receipt(number, box))
        if receipts:
            self._progress = self._clock()
            failed = next((receipt.error for receipt in receipts if receipt.error is not None), None)
            if failed is not None and self._ended is None:
                self._end(failed)
                receipts += self._arrived()
        return receipts

    def _receipt(self, number: int, box: Box) -> Receipt:
        ((result, message_id),) = box.items()
        if result.name != "Ok":
            return Receipt(number, None, duplicate=False, error=self._failure(number, result))
        ledger = message_id.ledger_id()
        if ledger < 0:
            return Receipt(number, None, duplicate=True, error=None)
        return Receipt(number, Position(ledger, message_id.entry_id()), duplicate=False, error=None)

    def _failure(self, number: int, result: NativeResult) -> BusError:
        if self._ended is not None:
            return type(self._ended)(f"send {number} to {self._name}: unanswered when it ended ({self._ended})")
        return errors.from_result(result, f"send {number} to {self._name}")

    def _raise_if_not_taken(self, number: int, box: Box) -> None:
        (result,) = box
        if result.name in _NOT_TAKEN:
            raise errors.from_result(result, f"send {number} to {self._name}")

    def _end(self, why: BusError) -> None:
        """Let go of the client's producer: it fails all pending sends before the call returns."""
        self._begin_to_end(why)
        self._finish()

    def _begin_to_end(self, why: BusError) -> None:
        self._ended = why
        self._closing = self._farewell.begin(self._producer)

    def _finish(self) -> None:
        closing, self._closing = self._closing, None
        if closing is not None and not self._farewell.finish(closing):
            _log.warning("closing the producer of %s: no answer from the broker (%s)", self._name, self._ended)


def _built(number: int, message: Outgoing) -> OutgoingMessage:
    builder = native.new_message()
    builder.content(message.body)
    if message.key is not None:
        builder.partition_key(message.key)
    builder.properties(dict(message.properties))
    builder.sequence_id(number)
    return builder.build()
