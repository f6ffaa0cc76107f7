"""What the engine asks of a database. One contract suite (`tests/contract/store`) runs on every adapter.

Rows are tuples in column order: they go to the driver as they are. Message ids are 16 bytes. A shard is named
`actor/partition`. All methods are called by one thread (the loop) and block no longer than the adapter's deadline.

```
StoreError ─┬─ StoreUnavailable   no connection or no answer; nothing of this call happened
            ├─ CommitUnknown      the connection was lost while committing: read it back (R8)
            ├─ CommitRejected     the database refuses this content for good (R9)
            ├─ VersionConflict    a state row is not at the version this worker loaded (R3): drop the shard
            └─ StoreMismatch      the store was made for other partitions, or by a newer schema: stop
```
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from magnetar.runtime.store.care import Care, Caution
from magnetar.runtime.store.effects import EffectChanges
from magnetar.runtime.store.parking import Parking
from magnetar.runtime.store.requests import Answering

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from magnetar.runtime.bus.port import Position
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.care import Hand
    from magnetar.runtime.store.effects import EffectRow
    from magnetar.runtime.store.parking import DeadLetter, ParkedKey, ParkedRow
    from magnetar.runtime.store.requests import Pause, Request
    from magnetar.runtime.store.roster import Beat, Roster, Standing
    from magnetar.runtime.table import Table

ShardName = str
"""`actor/partition`, e.g. `orders/3`."""


class Disposition(StrEnum):
    """What became of a message for an actor (R2). A message has at most one per actor."""

    APPLIED = "applied"
    PARKED = "parked"
    DEAD = "dead"
    SKIPPED = "skipped"
    DISCARDED = "discarded"
    REHOMED = "re-homed"


class JournalRow(NamedTuple):
    """One message of one actor and what it did: de-duplication, audit, timeline and replay source in one (R2).

    `body` is the input's bytes as they came, `schema` the fingerprint of their writer. `sent` is a JSON array of
    `{"type","id","to","key"}` for messages, `{"timer","due"}` and `{"cancelled"}` for timers, and
    `{"effect","asks","idempotency_key"}` for effects. `version` is the state's after the message; `state_hash` is over
    the state's fields. `answer` is kept only for a question.
    """

    actor: str
    message_id: bytes
    shard: ShardName
    key: str
    disposition: str
    type: str
    schema: str
    body: bytes
    source: str  # `topic/partition`, `timer`, `effect` (an outcome), or `local`
    position: str  # `ledger:entry:batch`, or '' for what came by no topic
    correlation_id: str
    causation_id: str
    occurred_at: Instant
    published_at: Instant
    now: Instant
    code: str
    version: int
    state_hash: bytes
    sent: str
    answer: bytes | None
    answer_schema: str | None


class StateRow(NamedTuple):
    """A key's state. `version` counts the messages applied; 0 is a key never seen and has no row."""

    actor: str
    key: str
    shard: ShardName
    version: int
    schema: str
    body: bytes
    changed_at: Instant


class StateWrite(NamedTuple):
    """A state row to write over the version it was computed from (R3)."""

    row: StateRow
    over: int


class OutboxRow(NamedTuple):
    """A decided message that waits for its receipt. `number` is its place in the shard's lane (R18)."""

    shard: ShardName
    number: int
    topic: str
    partition: int
    key: str
    body: bytes
    properties: str  # JSON object of strings


class TimerRow(NamedTuple):
    """A timer of a key. At most one per (actor, key, name); `generation` is its message id (R26)."""

    actor: str
    key: str
    name: str
    shard: ShardName
    generation: bytes
    due: Instant
    type: str
    schema: str
    body: bytes
    correlation_id: str
    causation_id: str


class GoneTimer(NamedTuple):
    """A timer that fired or was cancelled: its row goes before the group's timers are armed.

    When it fired (`must_exist`), the commit fails unless it is there with this generation; when it was cancelled,
    whatever generation there is goes, and `generation` is empty.
    """

    actor: str
    key: str
    name: str
    generation: bytes
    must_exist: bool


class AppRow(NamedTuple):
    """A row of the application's own table, written in the commit of the message that made it."""

    table: str
    shard: ShardName
    message_id: bytes
    ordinal: int
    values: tuple[object, ...]


class ShardRow(NamedTuple):
    """The row that owns a shard (R1). `positions` maps `topic/partition` to the last position applied (R10).

    `generation` is the store's (R11, R18), `contracts` the highest one of code that has owned the shard (R16).
    `since` is when the owner last changed, by the store's clock, and `why` what its owner said of that. `careful`:
    owners ended without marking it clean, and what they may have ended of is not behind yet; `hands` are what the last
    one had in hand (R25).
    """

    shard: ShardName
    epoch: int
    owner: str  # '' when nobody's
    commits: int
    lane: int
    clean: bool
    generation: int
    floor: Instant  # `now` never goes below it (R5)
    contracts: int
    since: Instant
    why: str
    positions: Mapping[str, Position]
    careful: Caution = Caution.NONE
    hands: tuple[Hand, ...] = ()


class Taker(NamedTuple):
    """Who takes a shard, and why.

    `renews`: with a new store generation (R11). `keeps`: the taker was its last owner, in this very life.
    """

    owner: str
    contracts: int = 0
    why: str = ""
    renews: bool = False
    keeps: bool = False


@dataclass(slots=True)
class ShardChanges:
    """What one group changes in one shard, committed under its fence (R6) or not at all."""

    shard: ShardName
    epoch: int
    commits: int  # the shard's counter before this commit
    lane: int  # the lane counter after it
    floor: Instant
    positions: dict[str, Position] = field(default_factory=dict)
    journal: list[JournalRow] = field(default_factory=list)
    states: list[StateWrite] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    sent: tuple[int, int] | None = None  # lane numbers (from, to], both confirmed: their outbox rows go
    armed: list[TimerRow] = field(default_factory=list)
    gone: list[GoneTimer] = field(default_factory=list)
    rows: list[AppRow] = field(default_factory=list)
    parking: Parking | None = None  # most groups park nothing, and pay nothing for it
    effects: EffectChanges | None = None  # likewise
    answering: Answering | None = None
    care: Care | None = None  # nor does one for care, where nobody has to be careful

    def to_answer(self) -> Answering:
        """What its requests change, made when the first is executed."""
        if self.answering is None:
            self.answering = Answering()
        return self.answering

    def to_park(self) -> Parking:
        """The group's parking, made when it is first asked for."""
        if self.parking is None:
            self.parking = Parking()
        return self.parking

    def to_ask(self) -> EffectChanges:
        """The group's effects, made when they are first asked for."""
        if self.effects is None:
            self.effects = EffectChanges()
        return self.effects

    def to_care(self) -> Care:
        """The group's care, made when it is first asked for."""
        if self.care is None:
            self.care = Care()
        return self.care


class StoreError(Exception):
    """The store failed; the message names the operation and what to do."""


class StoreUnavailable(StoreError):
    """No connection to the store, or no answer in time. Nothing of the call happened."""


class CommitUnknown(StoreError):
    """The connection was lost while committing. Reconnect, take the shards again and compare `commits` (R8)."""


class CommitRejected(StoreError):
    """The database refuses these rows for their content. Sending them again cannot heal it (R9)."""


class VersionConflict(StoreError):
    """A row (of a state, a timer, the journal, parking…) is not as this worker knows it: drop the shard (R3, R9)."""

    def __init__(self, shard: ShardName, what: str) -> None:
        """`what` names the table and the key."""
        super().__init__(f"shard {shard}: {what}")
        self.shard = shard


class StoreMismatch(StoreError):
    """The store belongs to another layout: other partition counts, or a newer schema than this code knows."""


class Store(Protocol):
    """One database. Commits are atomic over all shards of a group; each shard is fenced by its epoch."""

    def now(self) -> Instant:
        """The store's clock (R5)."""
        ...

    def prepare(self, partitions: Mapping[str, int], tables: Iterable[Table]) -> None:
        """Make the shard rows of each actor (actor → partitions) and the application's tables, if they are not there.

        Raises `StoreMismatch` when an actor's stored partition count differs (R31) or a table's columns do.
        """
        ...

    def remember(self, schemas: Mapping[str, str]) -> None:
        """Keep schema texts by fingerprint, for ever: what is stored stays readable."""
        ...

    def schemas(self) -> dict[str, str]:
        """All schema texts kept, by fingerprint."""
        ...

    def beat(self, beat: Beat) -> Roster:
        """Write the worker's row by the store's clock, and read everybody's and all shards' (R13, R14).

        Workers that were not seen for an hour are forgotten.
        """
        ...

    def depart(self, worker: str) -> None:
        """Forget the worker: it has released everything. Harmless for one that is not there."""
        ...

    def standings(self, shards: Sequence[ShardName]) -> dict[ShardName, Standing]:
        """Who has each of these shards; one that does not exist is left out."""
        ...

    def take(self, shard: ShardName, epoch: int, taker: Taker) -> ShardRow | None:
        """Own the shard if its epoch is still `epoch`: bumps it, sets owner, clears *clean* (R12).

        A shard that was not clean is more careful by one step from now on (R25), unless the taker keeps it.

        None: somebody was faster, or has written it with later contracts than the taker's (R16).

        The row returned has the new epoch, and `clean` as it was before. `since` and `why` change with the owner only.
        """
        ...

    def release(self, shard: ShardName, epoch: int, holder: str, sent: tuple[int, int] | None = None) -> bool:
        """Mark *clean* and ownerless under the fence (R15). False: the shard was lost, and nothing is changed.

        `sent` are lane numbers (from, to], all confirmed: their outbox rows go in the same transaction. So does what
        `holder` has in hand, for it lives (R25). What another life had in hand stays: nobody was charged with its end
        yet, and whoever takes the shard next finds it. A careful shard stays one.
        """
        ...

    def outbox(self, shard: ShardName, after: int, limit: int) -> list[OutboxRow]:
        """The lane's rows with a number above `after`, ascending."""
        ...

    def timers(self, shard: ShardName, until: Instant) -> list[TimerRow]:
        """The shard's timers due at or before `until`, by due time."""
        ...

    def parked_keys(self, shard: ShardName) -> list[ParkedKey]:
        """The shard's parked keys by due time, those that are not due by themselves at the end; then by key."""
        ...

    def parked(self, actor: str, key: str, first: int, limit: int) -> list[ParkedRow]:
        """The key's parked rows with an ordinal of at least `first`, ascending, at most `limit`."""
        ...

    def effects(self, shard: ShardName) -> list[EffectRow]:
        """What the shard's keys ask of the outside, by due time, then by id (R29)."""
        ...

    def letter(self, actor: str, message_id: bytes) -> DeadLetter | None:
        """The dead letter, whatever became of it; None for a message that never died."""
        ...

    def asked(self, shards: Sequence[ShardName], limit: int) -> list[Request]:
        """Requests that wait for these shards' owner, of each shard the first `limit` of them, in order (R27)."""
        ...

    def pauses(self, shard: ShardName) -> list[Pause]:
        """What is paused in the shard, by type."""
        ...

    def dispositions(self, asked: Mapping[str, Sequence[bytes]]) -> dict[str, dict[bytes, str]]:
        """Of each actor: which of these messages its journal knows, and how they ended (R2). One question for all."""
        ...

    def crashes(self, actor: str, message_ids: Sequence[bytes]) -> dict[bytes, int]:
        """How often each of these messages took a worker with it (R24); those that never did are left out."""
        ...

    def states(self, asked: Mapping[str, Sequence[str]]) -> dict[str, list[StateRow]]:
        """Of each actor: the states of those keys that have one. No order. One question for all."""
        ...

    def commit(self, group: Sequence[ShardChanges]) -> frozenset[ShardName]:
        """Commit the group in one transaction; returns the shards whose fence refused (nothing of them is written).

        Shards are fenced in name order (R6). Raises `CommitUnknown`, `StoreUnavailable`, `CommitRejected`,
        `VersionConflict`; only after `CommitUnknown` may anything have been written.
        """
        ...

    def reconnect(self) -> None:
        """Drop the connection and make a new one (R8). `StoreUnavailable`."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
