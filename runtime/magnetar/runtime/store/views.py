"""Operators' queries: reading only, on a connection of their own, never in the way of the loop (R27)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.care import CrashRow
    from magnetar.runtime.store.effects import EffectRow
    from magnetar.runtime.store.parking import DeadLetter, FailureRow, ParkedKey, ParkedRow
    from magnetar.runtime.store.port import JournalRow, OutboxRow, ShardName, ShardRow, StateRow, TimerRow
    from magnetar.runtime.store.replays import Replay, Replayed, ReplayLetter
    from magnetar.runtime.store.requests import Edit, Pause, Request
    from magnetar.runtime.store.roster import Member

PRODUCT = "product"
"""Among the settings of a store: which database it is, `sqlite` or `postgresql`."""


class Load(NamedTuple):
    """What waits in a shard.

    Messages decided and without a receipt, armed timers, messages of parked keys, and effects without an outcome.
    """

    unsent: int
    timers: int
    parked: int
    effects: int = 0


class Which(NamedTuple):
    """Which dead letters: those to which everything given here applies.

    `type` and `error` (its class) may be without their module; `fingerprint` may be the beginning of one, and `message`
    the end of an id's digits. `since` and `until` are of when they died, both included. `status` '': whatever became of
    them.
    """

    actor: str | None = None
    key: str | None = None
    type: str | None = None
    error: str | None = None
    fingerprint: str | None = None
    message: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    status: str = "dead"


class LetterGroup(NamedTuple):
    """Dead letters of one cause. `error_text` is one of theirs, `keys` how many keys they are of."""

    actor: str
    fingerprint: str
    type: str
    error: str
    error_text: str
    letters: int
    keys: int
    first: Instant
    last: Instant


class Views(Protocol):
    """Read-only questions about a store. Each call sees one consistent state; one thread at a time."""

    def state(self, actor: str, key: str) -> StateRow | None:
        """The key's state, or None when it was never seen."""
        ...

    def timeline(self, actor: str, key: str, limit: int = 1000) -> list[JournalRow]:
        """The key's journal in the order of its versions."""
        ...

    def entry(self, actor: str, message_id: bytes) -> JournalRow | None:
        """The journal row of one message, or None while it has no disposition."""
        ...

    def timers_of(self, actor: str, key: str) -> list[TimerRow]:
        """The key's armed timers by due time."""
        ...

    def parked_key(self, actor: str, key: str) -> ParkedKey | None:
        """Why the key is parked, or None when it is not."""
        ...

    def parked_of(self, actor: str, key: str, limit: int = 1000) -> list[ParkedRow]:
        """What waits for the key, head first."""
        ...

    def failures_of(self, actor: str, message_id: bytes) -> list[FailureRow]:
        """Each failure of a message, the first one first."""
        ...

    def crashes_of(self, actor: str, message_id: bytes) -> list[CrashRow]:
        """Each worker that ended with this message in hand, the first one first."""
        ...

    def dead_letters(self, actor: str | None = None, limit: int = 1000) -> list[DeadLetter]:
        """Dead letters of the actor, or of all, whatever became of them; those that died last come first."""
        ...

    def effects_of(self, actor: str, key: str) -> list[EffectRow]:
        """What the key asks of the outside and has no outcome of yet, the first one first."""
        ...

    def letter(self, actor: str, message_id: bytes) -> DeadLetter | None:
        """One dead letter, whatever became of it."""
        ...

    def edits_of(self, actor: str, message_id: bytes) -> list[Edit]:
        """What a dead letter said before each time that it was edited, the original first."""
        ...

    def letters(self, which: Which, limit: int = 1000) -> list[DeadLetter]:
        """These dead letters; those that died last come first."""
        ...

    def letter_groups(self, which: Which, limit: int = 1000) -> list[LetterGroup]:
        """These dead letters by cause, the largest group first."""
        ...

    def keys_parked(self, actor: str | None = None, reason: str | None = None, limit: int = 1000) -> list[ParkedKey]:
        """Parked keys, those parked for longest first."""
        ...

    def pauses(self) -> list[Pause]:
        """What is paused, by shard and type; single keys are not among them."""
        ...

    def requests(self, ids: Sequence[bytes]) -> list[Request]:
        """Those of these requests that are there, and their answers, by id."""
        ...

    def requests_of(self, shard: ShardName, key: str, limit: int = 1000) -> list[Request]:
        """What was asked about the key, the last first."""
        ...

    def replays(self, limit: int = 1000) -> list[Replay]:
        """Replays, the last first."""
        ...

    def replay_letters(self, replay: bytes) -> list[ReplayLetter]:
        """What was chosen for a replay, in order."""
        ...

    def replayed(self, replay: bytes) -> list[Replayed]:
        """What became of those letters of a replay that were asked."""
        ...

    def unsent_of(self, actor: str) -> list[OutboxRow]:
        """Outbox rows of the actor's shards, in lane order."""
        ...

    def shards(self) -> list[ShardRow]:
        """All shard rows, by name."""
        ...

    def members(self) -> list[Member]:
        """Every worker that the store remembers, by name."""
        ...

    def now(self) -> Instant:
        """The store's clock, by which members and shards are dated."""
        ...

    def loads(self) -> Mapping[ShardName, Load]:
        """What waits in each shard; a shard in which nothing waits may be left out."""
        ...

    def settings(self) -> Mapping[str, str]:
        """The database's settings in force on a connection that is opened as a worker's is, by its own names.

        `PRODUCT` says which database it is. For `sqlite`: `journal_mode`, `synchronous`. For `postgresql`, as
        `pg_settings` tells them, times in milliseconds: `server_version_num`, `fsync`, `full_page_writes`,
        `synchronous_commit`, `max_connections`, `idle_in_transaction_session_timeout`,
        `default_transaction_isolation`. `doctor` judges them.
        """
        ...

    def states_of(self, actor: str) -> Iterator[StateRow]:
        """Every state of the actor, by key."""
        ...

    def journal_of(self, actor: str) -> Iterator[JournalRow]:
        """The actor's whole journal, by message id."""
        ...

    def all_failures_of(self, actor: str) -> Iterator[FailureRow]:
        """Each failure of each message of the actor, by message id and number."""
        ...

    def all_crashes_of(self, actor: str) -> Iterator[CrashRow]:
        """Each worker that ended with a message of the actor in hand, likewise."""
        ...

    def rows_of(self, table: str) -> Iterator[tuple[object, ...]]:
        """An application's table: (message_id, ordinal, *columns), by message id and ordinal."""
        ...

    def schemas(self) -> dict[str, str]:
        """All schema texts kept, by fingerprint."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
