"""A named producer of one process on one partition."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magnetar.runtime.bus.memory.seat import Line, Member
from magnetar.runtime.bus.port import BusError, BusUnavailable, Closed, Outgoing, Receipt, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.memory.partition import Name, Partition
    from magnetar.runtime.instant import Instant

LARGEST = 5 * 1024 * 1024


class Sent(NamedTuple):
    """A message on its way to the broker."""

    number: int
    message: Outgoing
    at: Instant


class MemoryProducer(Member):
    """A producer whose sends are answered at once, unless a fault holds or loses them.

    One failure fails the whole window, as in the real client: everything sent from the failed message on, until
    the caller has fetched the receipts, ends in an error. What of it was stored depends on what was lost: after a
    lost message nothing that follows is stored, after a lost receipt everything is. What is on its way when the
    producer is closed never arrives.
    """

    def __init__(
        self, line: Line, partition: Partition, name: Name, version: int | None, clock: Callable[[], Instant]
    ) -> None:
        super().__init__(line, partition, name)
        self.last_number = name.highest
        self._name = name
        self._version = version
        self._clock = clock
        self._transit: list[Sent] = []
        self._receipts: list[Receipt] = []
        self._failure: BusError | None = None
        self._storing = True

    def send(self, number: int, message: Outgoing) -> None:
        """As the port says. `ValueError` for a number below 1, which no broker would take for one."""
        if number < 1:
            raise ValueError(f"{number} is no number for a send by {self._name.what}: they start at 1")
        check_size(message, self._name.what)
        sent = Sent(number, message, self._clock())
        with self._lock:
            if self.closed:
                raise Closed(f"{self._name.what}: this producer is closed, open a new one")
            if self._waits():
                self._transit.append(sent)
            else:
                self._receipts.append(self._answer(sent))

    def leave(self) -> None:
        """As the port says; done at once."""
        self.close()

    def receipts(self) -> list[Receipt]:
        """As the port says; fetching them ends a window that failed."""
        with self._lock:
            found, self._receipts = self._receipts, []
            self._failure, self._storing = None, True
            return found

    def lost(self) -> None:
        """A dead producer's messages never arrive; one that may still reconnect keeps them."""
        if self.dead or self.line.offline:
            self.arrive()

    def rejoined(self) -> None:
        """The client sends again what was on its way, in order."""
        if not self.partition.trouble.hold_sends:
            self.arrive()

    def arrive(self) -> None:
        """Let what is on its way reach its end, in order. Called under the broker's lock."""
        transit, self._transit = self._transit, []
        self._receipts.extend(self._answer(sent) for sent in transit)

    def _waits(self) -> bool:
        """Whether a send stays on its way: the broker is slow, or the client hopes to reconnect."""
        if self.line.offline or self.dead:
            return False
        return self.partition.trouble.hold_sends or not self.seated()

    def _answer(self, sent: Sent) -> Receipt:
        if not self.connected():
            self._fail(BusUnavailable(f"{self._name.what}: {self.line.name} has no connection"), storing=False)
        elif self._failure is None:
            self._meet_trouble()
        stored = self._store(sent) if self._storing else None
        if stored is None or self._failure is not None:
            return Receipt(sent.number, None, duplicate=False, error=self._failure)
        return stored

    def _meet_trouble(self) -> None:
        trouble = self.partition.trouble
        if trouble.lose_sends:
            trouble.lose_sends -= 1
            self._fail(BusUnavailable(f"{self._name.what}: no answer in time"), storing=False)
        elif trouble.refuse_sends:
            trouble.refuse_sends -= 1
            self._fail(Refused(f"{self._name.what}: the broker refuses messages, over its quota"), storing=False)
        elif trouble.lose_receipts:
            trouble.lose_receipts -= 1
            self._fail(BusUnavailable(f"{self._name.what}: no answer in time"), storing=True)

    def _fail(self, error: BusError, *, storing: bool) -> None:
        self._failure = error
        self._storing = storing

    def _store(self, sent: Sent) -> Receipt:
        name = self._name
        if sent.number <= name.highest:
            return Receipt(sent.number, None, duplicate=True, error=None)
        name.highest = sent.number
        position = self.partition.log.append(sent.message, sent.at, self._version)
        self.partition.arrived.notify_all()
        return Receipt(sent.number, position, duplicate=False, error=None)


def check_size(message: Outgoing, what: str) -> None:
    """`Refused` when body, key and properties together are over the limit (5 MiB, the broker's default)."""
    characters = len(message.key or "") + sum(map(len, message.properties)) + sum(map(len, message.properties.values()))
    if len(message.body) + 4 * characters <= LARGEST:  # no character takes more than four bytes
        return
    texts = (message.key or "", *message.properties, *message.properties.values())
    size = len(message.body) + sum(len(text.encode()) for text in texts)
    if size > LARGEST:
        raise Refused(f"{what}: a message of {size} bytes with its properties is over the limit of {LARGEST}")
