"""Rows of what waits for its key and of what died: part of the store port, for its file alone would be too long.

Texts of errors come from anywhere. Whoever makes a row bounds them, and takes out of them what no database can hold:
NUL, and half a surrogate pair.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import JournalRow, ShardName


class Reason(StrEnum):
    """Why a key is parked."""

    RETRY = "retry"  # its head is tried again
    HELD = "held"  # a message of it died; an operator decides
    UNREAD = "unread"  # no reader or handler for its head here (R30)
    CROWDED = "crowded"  # the queue of a dependency that its head asks for an effect is full (R29)
    PAUSED = "paused"  # a person has paused the key
    STOPPED = "stopped"  # a person has paused its head's type


class LetterStatus(StrEnum):
    """What became of a dead letter."""

    DEAD = "dead"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class ParkedRow(NamedTuple):
    """A message that waits for its key (R22). `ordinal`: its place among those of the key, from 1, without gaps.

    `body`, `source` and `position` are as in `JournalRow`; `type` is '' when it could not be read. `properties` is a
    JSON object of strings, the delivery's own. `timer` is a fired timer's name, '' for a message: the timer's row stays
    until it is applied or cancelled.
    """

    actor: str
    key: str
    ordinal: int
    shard: ShardName
    message_id: bytes
    type: str
    schema: str
    body: bytes
    source: str
    position: str
    correlation_id: str
    causation_id: str
    occurred_at: Instant
    published_at: Instant
    properties: str
    timer: str
    parked_at: Instant


class Unparked(NamedTuple):
    """Parked rows of a key that go: those from `first` to `last`, both too. Every one of them must be there."""

    actor: str
    key: str
    first: int
    last: int


class ParkedKey(NamedTuple):
    """A key that is parked, why, and when its head is tried next.

    `first` and `last` are the ordinals of head and last parked row; nothing waits when `last` is `first` - 1.
    `failures`, `error`, `error_text` and `crashes` (how often it took a worker with it, R24) are of the head.
    `since` is when the key was parked. `held_by`: of one that is *held* the id of its dead letter, as text, of one
    that is *stopped* the type, of one that is *crowded* the dependency; '' where there is none, and where code held it
    that did not write that down.
    """

    actor: str
    key: str
    shard: ShardName
    reason: str
    first: int
    last: int
    failures: int
    due: Instant | None  # None: not by itself
    error: str
    error_text: str
    since: Instant
    held_by: str = ""
    crashes: int = 0


class FailureRow(NamedTuple):
    """One failure of a message, of the ledger of attempts (R24). `number` counts those of the message, from 1."""

    actor: str
    message_id: bytes
    number: int
    shard: ShardName
    key: str
    error: str
    error_text: str
    fingerprint: str
    code: str
    now: Instant


class DeadLetter(NamedTuple):
    """A message that is not tried again by itself; its own record at any age (R4). Columns as in `ParkedRow`.

    `failures` and `crashes` are how often it failed and how often it took a worker with it (R24), `replays` how often
    it was replayed.
    """

    actor: str
    message_id: bytes
    shard: ShardName
    key: str
    type: str
    schema: str
    body: bytes
    source: str
    position: str
    correlation_id: str
    causation_id: str
    occurred_at: Instant
    published_at: Instant
    properties: str
    timer: str
    error: str
    error_text: str
    fingerprint: str
    failures: int
    crashes: int
    dead_at: Instant
    status: str
    replays: int = 0


@dataclass(slots=True)
class Parking:
    """What one group parks, frees and buries in one shard. What goes, goes before what comes.

    So ordinals of rows that go may be used anew in the same group. Each breach of a *must* is a `VersionConflict`.
    """

    unparked: list[Unparked] = field(default_factory=list)
    parked: list[ParkedRow] = field(default_factory=list)  # must be new
    freed: list[tuple[str, str]] = field(default_factory=list)  # (actor, key) whose `ParkedKey` goes; must be there
    parked_keys: list[ParkedKey] = field(default_factory=list)  # in place of what the key has; of two, the last
    settled: list[JournalRow] = field(default_factory=list)
    """In place of journal rows that must be there as *parked* or *dead* (R2); their shard and key stay."""
    failures: list[FailureRow] = field(default_factory=list)  # must be new
    dead: list[DeadLetter] = field(default_factory=list)
    """Must be new, or take the place of one that is *replayed* or *discarded*: it died again."""

    def vacates(self, row: ParkedRow) -> bool:
        """Whether the row's place is one from which the group takes another row."""
        return any(
            (each.actor, each.key) == (row.actor, row.key) and each.first <= row.ordinal <= each.last
            for each in self.unparked
        )
