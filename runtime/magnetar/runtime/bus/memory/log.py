"""What one partition was given, in order, for good."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import EARLIEST, Delivery, Outgoing, Position, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.instant import Instant


class Log:
    """Every message ever published to one partition; nothing is removed, so an index stays true.

    Positions are (ledger, entry) as on a real broker: ledgers are numbered across the whole broker, so that a
    position used on the wrong partition is noticed, and a new one begins whenever the partition is loaded again.
    """

    __slots__ = ("_first", "_ledger", "_ledgers", "_starts", "deliveries", "partition", "topic")

    def __init__(self, topic: str, partition: int, ledgers: Iterator[int]) -> None:
        self.topic = topic
        self.partition = partition
        self.deliveries: list[Delivery] = []
        self._ledgers = ledgers
        self._starts: dict[int, int] = {}
        self.roll()

    def roll(self) -> None:
        """Begin a new ledger."""
        self._ledger = next(self._ledgers)
        self._first = self._starts[self._ledger] = len(self.deliveries)

    def append(self, message: Outgoing, at: Instant, version: int | None) -> Position:
        """Store a message for good; its position."""
        position = Position(self._ledger, len(self.deliveries) - self._first)
        properties = dict(message.properties)  # the sender may change its own afterwards
        self.deliveries.append(
            Delivery(self.topic, self.partition, position, message.key, message.body, properties, at, version)
        )
        return position

    def index(self, position: Position) -> int:
        """Where the message with this position is in `deliveries`; `Refused` when this partition never had it."""
        index = self._starts.get(position.ledger, len(self.deliveries)) + position.entry
        if not 0 <= index < len(self.deliveries) or self.deliveries[index].position != position:
            raise Refused(
                f"{self} has no message at {position}: a position is good only for the partition it came from"
            )
        return index

    def after(self, position: Position) -> int:
        """Where the first message after this position is or will be; `Refused` when there never was such a ledger."""
        if position.ledger not in self._starts and position != EARLIEST:
            raise Refused(f"{self} does not keep ledger {position.ledger}: what came after {position} may be gone")
        return bisect_right(self.deliveries, position, key=_position)

    def last(self) -> Position | None:
        """The position of the last message; None when there is none."""
        return self.deliveries[-1].position if self.deliveries else None

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]"


def _position(delivery: Delivery) -> Position:
    return delivery.position
