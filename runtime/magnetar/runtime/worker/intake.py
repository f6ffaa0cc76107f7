"""Where arrivals wait: per source a bounded hand-over, so that a stopped shard never fills another's (R21)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from magnetar.runtime.bus.port import BusError

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.port import Consumer, Delivery, Position
    from magnetar.runtime.instant import Instant


class Backlog(NamedTuple):
    """What a source has been handed and the loop has not taken: how much, and when the first of it was published."""

    waiting: int
    oldest: Instant | None


class Source(Protocol):
    """One partition's arrivals, as the loop sees them: nothing here ever blocks it."""

    def take(self, limit: int) -> list[Delivery]:
        """Up to `limit` deliveries that are there, in order."""
        ...

    def drained(self, since: Instant, now: Instant, applied: Position | None) -> bool:
        """Whether everything published before `since` is at or below `applied`, by the broker's own word (R26).

        False while the broker has not answered; the question is asked in the background.
        """
        ...

    def acknowledge(self, position: Position) -> None:
        """Cumulative; after the commit only (R10)."""
        ...

    def connected(self) -> bool:
        """What the client believes (R32)."""
        ...

    def backlog(self) -> Backlog:
        """What waits here for the loop. Any thread; a snapshot."""
        ...

    def leave(self) -> None:
        """Begin to close, so that several can be closed at a time. Never blocks."""
        ...

    def close(self) -> None:
        """Stop receiving and give the subscription back."""
        ...


@dataclass(frozen=True, slots=True)
class Receiving:
    """How arrivals reach the loop.

    `sourced` makes a source of an open consumer, with a thread or inline; `wake` ends the loop's sleep, in any thread.
    """

    sourced: Callable[[Consumer], Source]
    wake: Callable[[], None]


class Inline:
    """A source without a thread: the loop itself receives. For simulation and tests, where the bus never blocks."""

    def __init__(self, consumer: Consumer) -> None:
        """Wrap an open consumer."""
        self._consumer = consumer

    def take(self, limit: int) -> list[Delivery]:
        """Receive without waiting."""
        return self._consumer.receive(limit, 0.0)

    def drained(self, since: Instant, now: Instant, applied: Position | None) -> bool:
        """Ask at once."""
        if now < since:
            return False
        try:
            end = self._consumer.end()
        except BusError:
            return False
        return end is None or (applied is not None and end <= applied)

    def acknowledge(self, position: Position) -> None:
        """Pass on."""
        self._consumer.acknowledge(position)

    def connected(self) -> bool:
        """Pass on."""
        return self._consumer.connected()

    def backlog(self) -> Backlog:
        """Nothing: what is received is taken at once."""
        return Backlog(0, None)

    def leave(self) -> None:
        """Pass on."""
        self._consumer.leave()

    def close(self) -> None:
        """Pass on."""
        self._consumer.close()
