"""The Exclusive subscription of one process on one partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.bus.memory.opening import MemoryAnswer
from magnetar.runtime.bus.memory.seat import Line, Member
from magnetar.runtime.bus.port import EARLIEST, BusUnavailable, Closed, Delivery, Position

if TYPE_CHECKING:
    from typing import Never

    from magnetar.runtime.bus.memory.faults import Answers
    from magnetar.runtime.bus.memory.partition import Partition, Subscription


class MemoryConsumer(Member):
    """A reading place in the log.

    The receiver queue is not filled, it is counted: what a real client would have prefetched is the next
    `queue` messages after the reading place, and it is cut out of the log only when the broker lets the consumer
    go (`_horizon`). So receiving is one slice of a list.
    """

    def __init__(
        self, line: Line, partition: Partition, subscription: Subscription, queue: int, answers: Answers
    ) -> None:
        super().__init__(line, partition, subscription)
        self._subscription = subscription
        self._queue = queue
        self._answers = answers
        self._asked = self._newest_asked = False
        self._next = subscription.cursor
        self._horizon: int | None = None
        self._found = partition.log.deliveries[subscription.cursor - 1].position if subscription.cursor else EARLIEST

    def receive(self, limit: int, wait: float) -> list[Delivery]:
        """As the port says; a thread that waits here is woken by a message and by `close`."""
        with self._lock:
            found = self._take(limit)
            if found or wait <= 0:
                return found
            self.partition.arrived.wait_for(self._ready, wait)
            return self._take(limit)

    def acknowledge(self, position: Position) -> None:
        """As the port says; lost without a word when the broker no longer knows this consumer."""
        with self._lock:
            if self.connected():
                self._subscription.acknowledge(self.partition.log.index(position))

    def end(self) -> Position | None:
        """As the port says; never blocks here."""
        with self._lock:
            self._reach("about the end")
            return self.partition.log.last()

    def newest(self) -> Position | None:
        """As the port says: not at once."""
        if not self._newest_asked:
            self._newest_asked = True
            return None
        with self._lock:
            return (self.partition.log.last() or EARLIEST) if self._is_answered() else None

    def cursor(self) -> Position | None:
        """As the port says: not at once, for another one is asked than the broker that delivers."""
        asked, self._asked = self._asked, True
        return self._found if asked and self._is_answered() else None

    def seek(self, position: Position) -> MemoryAnswer[MemoryConsumer]:
        """As the port says; done at once."""
        return MemoryAnswer(lambda: self._sought(position))

    def lost(self) -> None:
        """Keep what was prefetched, and get nothing more."""
        if self._horizon is None:
            self._horizon = min(len(self.partition.log.deliveries), self._next + self._queue)

    def rejoined(self) -> None:
        """Drop what was prefetched: the broker delivers again from the cursor."""
        self._next = self._subscription.cursor
        self._horizon = None
        self.partition.arrived.notify_all()

    def _take(self, limit: int) -> list[Delivery]:
        if self.closed:
            self._refuse()
        start = self._next
        stop = start + min(limit, self._queue)
        if self._horizon is not None:
            stop = min(stop, self._horizon)
        found = self.partition.log.deliveries[start:stop]
        self._next = start + len(found)
        return found

    def _sought(self, position: Position) -> MemoryConsumer:
        with self._lock:
            self._reach(f"to putting back to {position} the subscription")
            self._subscription.rewind(self.partition.log.after(position))
            self.rejoined()
            return self

    def _is_answered(self) -> bool:
        self._answers.in_vain += self._answers.cursors_held
        return not self._answers.cursors_held

    def _reach(self, about: str) -> None:
        if self.closed:
            self._refuse()
        if not self.connected():
            raise BusUnavailable(f"no answer {about} of {self.partition.log}: {self.line.name} is cut off")

    def _ready(self) -> bool:
        if self.closed:
            return True
        stop = len(self.partition.log.deliveries) if self._horizon is None else self._horizon
        return self._next < stop

    def _refuse(self) -> Never:
        raise Closed(f"the consumer of {self._subscription.what} is closed: subscribe again")
