"""One partition on the broker: its log, its subscriptions' cursors, what it knows of its producers."""

from __future__ import annotations

from collections import deque
from threading import Condition, RLock
from typing import TYPE_CHECKING

from magnetar.runtime.bus.memory.log import Log
from magnetar.runtime.bus.memory.seat import Member, Seat
from magnetar.runtime.bus.port import TopicMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.bus.memory.faults import Trouble
    from magnetar.runtime.bus.port import Position

REMEMBERED_ACKS = 256


class Subscription(Seat):
    """A durable cursor: the index of the first message that is not acknowledged."""

    __slots__ = ("_earlier", "cursor", "lose_acks")

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.cursor = 0
        self.lose_acks = 0
        self._earlier: deque[int] = deque(maxlen=REMEMBERED_ACKS)

    def acknowledge(self, index: int) -> None:
        """Everything up to and including this index is done; an ack from the past changes nothing."""
        if self.lose_acks:
            self.lose_acks -= 1
        elif index >= self.cursor:
            self._earlier.append(self.cursor)
            self.cursor = index + 1

    def forget(self, acks: int) -> None:
        """Go back to where the cursor was so many acks ago (at most `REMEMBERED_ACKS`)."""
        for _ in range(min(acks, len(self._earlier))):
            self.cursor = self._earlier.pop()

    def rewind(self, index: int) -> None:
        """Make this the first message that is not acknowledged."""
        self.cursor = index
        self._earlier.clear()


class Name(Seat):
    """A producer name: the highest number it was seen with."""

    __slots__ = ("highest",)

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.highest = 0


class Partition:
    """One partition of a topic. Everything here is read and written under the broker's one lock."""

    __slots__ = ("arrived", "dropped", "lock", "log", "names", "subscriptions", "trouble")

    def __init__(self, topic: str, number: int, lock: RLock, ledgers: Iterator[int], trouble: Trouble) -> None:
        self.lock = lock
        self.log = Log(topic, number, ledgers)
        self.arrived = Condition(lock)
        self.subscriptions: dict[str, Subscription] = {}
        self.names: dict[str, Name] = {}
        self.dropped: list[Member] = []
        self.trouble = trouble

    def add_subscription(self, name: str) -> None:
        """Make the subscription, at the earliest message; nothing when it is there."""
        if name not in self.subscriptions:
            self.subscriptions[name] = Subscription(f"subscription {name} on {self.log}")

    def subscription(self, name: str) -> Subscription:
        """The subscription of this name; `TopicMissing` when it was never provisioned."""
        found = self.subscriptions.get(name)
        if found is None:
            raise TopicMissing(f"{self.log} has no subscription {name}: provision it first")
        return found

    def name(self, name: str) -> Name:
        """What is known of this producer name."""
        found = self.names.get(name)
        if found is None:
            found = self.names[name] = Name(f"producer name {name} on {self.log}")
        return found

    def members(self) -> Iterator[Member]:
        """Whoever holds something here: consumers first."""
        for seat in (*self.subscriptions.values(), *self.names.values()):
            if seat.holder is not None:
                yield seat.holder

    def index(self, position: Position | None) -> int:
        """The index of a position; of the earliest message for None."""
        return 0 if position is None else self.log.index(position)
