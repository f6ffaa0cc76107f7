"""What a run saw from outside the engine: what was sent, what the store accepted from whom, what went wrong and when.

The checkers compare it with what is in the broker's logs and in the store at the end. Nothing here is told by the
engine: the sender writes its own log, and the store's wrapper writes down what the database did.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Position
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName


class Violation(NamedTuple):
    """A promise that was not kept: which one, of what, and what was found instead."""

    promise: str
    subject: str
    found: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.subject}: {self.found}"


class Happening(NamedTuple):
    """A line of the story."""

    at: Instant
    what: str


@dataclass(slots=True)
class Sending:
    """One message that a sender tried to publish, under however many copies.

    `message_id` is None for a foreign message, which has none: it is known by its `positions`. `acked`: some try
    was confirmed, so it must not get lost.
    """

    message_id: str | None
    topic: str
    partition: int
    key: str
    positions: list[Position] = field(default_factory=list)
    acked: bool = False
    tries: int = 0


class LaneRow(NamedTuple):
    """A row of an outbox as it was committed."""

    number: int
    topic: str
    partition: int
    message_id: str


class Commit(NamedTuple):
    """One shard's part of a commit that the database accepted. `current` is the newest epoch that anybody had taken."""

    at: Instant
    owner: str
    shard: ShardName
    epoch: int
    current: int
    commits: int
    lane: tuple[LaneRow, ...]
    armed: tuple[bytes, ...]
    fired: tuple[bytes, ...]


@dataclass(slots=True)
class History:
    """Grows while a run lasts.

    `decided` holds the ids of all messages in committed outboxes, `epochs` the newest epoch taken of each shard.
    `effective` counts faults by kind that were seen to have an effect, `met` the situations worth meeting.
    """

    sendings: list[Sending] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    decided: set[str] = field(default_factory=set)
    epochs: dict[ShardName, int] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    story: list[Happening] = field(default_factory=list)
    effective: dict[str, int] = field(default_factory=dict)
    met: dict[str, int] = field(default_factory=dict)

    def tell(self, at: Instant, what: str) -> None:
        """Add a line to the story."""
        self.story.append(Happening(at, what))

    def took_effect(self, kind: str, count: int = 1) -> None:
        """A fault of this kind was seen to have an effect."""
        self.effective[kind] = self.effective.get(kind, 0) + count

    def meet(self, situation: str, count: int = 1) -> None:
        """A situation worth meeting (see `sometimes`)."""
        self.met[situation] = self.met.get(situation, 0) + count

    def blame(self, promise: str, subject: str, found: str) -> None:
        """Something was wrong at the very moment it happened."""
        self.violations.append(Violation(promise, subject, found))
