"""Operators' queries: reading only, on a connection of their own, never in the way of the loop (R27)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.effects import EffectRow
    from magnetar.runtime.store.parking import DeadLetter, FailureRow, ParkedKey, ParkedRow
    from magnetar.runtime.store.port import JournalRow, Member, OutboxRow, ShardName, ShardRow, StateRow, TimerRow

PRODUCT = "product"
"""Among the settings of a store: which database it is, `sqlite` or `postgresql`."""


class Load(NamedTuple):
    """What waits in a shard: messages decided and without a receipt, armed timers, and messages of parked keys."""

    unsent: int
    timers: int
    parked: int


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

    def dead_letters(self, actor: str | None = None, limit: int = 1000) -> list[DeadLetter]:
        """Dead letters of the actor, or of all, whatever became of them; those that died last come first."""
        ...

    def effects_of(self, actor: str, key: str) -> list[EffectRow]:
        """What the key asks of the outside and has no outcome of yet, the first one first."""
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

    def rows_of(self, table: str) -> Iterator[tuple[object, ...]]:
        """An application's table: (message_id, ordinal, *columns), by message id and ordinal."""
        ...

    def schemas(self) -> dict[str, str]:
        """All schema texts kept, by fingerprint."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
