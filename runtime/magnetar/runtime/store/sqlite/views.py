"""Operators' queries on a connection of their own that cannot write.

On a file a view reads beside the writer. In memory readers and the writer exclude each other, so iterators there are
read to the end at once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from magnetar.runtime.bus.port import Position
from magnetar.runtime.store.care import CrashRow
from magnetar.runtime.store.effects import EffectRow
from magnetar.runtime.store.parking import DeadLetter, FailureRow, ParkedKey, ParkedRow
from magnetar.runtime.store.port import JournalRow, OutboxRow, StateRow, TimerRow
from magnetar.runtime.store.replays import Replay, Replayed, ReplayLetter
from magnetar.runtime.store.requests import Edit, Pause, Request
from magnetar.runtime.store.sql.tables import table_name
from magnetar.runtime.store.sqlite.database import SQL, open_reading
from magnetar.runtime.store.sqlite.failures import said_plainly
from magnetar.runtime.store.sqlite.rows import member_of, shard_row
from magnetar.runtime.store.views import PRODUCT, LetterGroup, Load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardRow
    from magnetar.runtime.store.roster import Member
    from magnetar.runtime.store.sqlite.database import Database
    from magnetar.runtime.store.views import Which

_Row = TypeVar("_Row")
_Value: TypeAlias = "str | bytes | int | None"


class SqliteViews:
    """See `Views`. Every call may raise `StoreUnavailable`; one thread at a time.

    An iterator that is not read to its end keeps the log of a file from being cleared: read it or drop it.
    """

    def __init__(self, database: Database) -> None:
        self._eager = database.setup.journal_mode != "wal"
        self._now = database.now
        self._connection = open_reading(database.setup)

    def state(self, actor: str, key: str) -> StateRow | None:
        """See the port."""
        return next(self._rows(StateRow._make, "state", actor, key), None)

    def timeline(self, actor: str, key: str, limit: int = 1000) -> list[JournalRow]:
        """See the port."""
        return list(self._rows(JournalRow._make, "timeline", actor, key, limit))

    def entry(self, actor: str, message_id: bytes) -> JournalRow | None:
        """See the port."""
        return next(self._rows(JournalRow._make, "entry", actor, message_id), None)

    def timers_of(self, actor: str, key: str) -> list[TimerRow]:
        """See the port."""
        return list(self._rows(TimerRow._make, "timers_of", actor, key))

    def parked_key(self, actor: str, key: str) -> ParkedKey | None:
        """See the port."""
        return next(self._rows(ParkedKey._make, "parked_key", actor, key), None)

    def parked_of(self, actor: str, key: str, limit: int = 1000) -> list[ParkedRow]:
        """See the port."""
        return list(self._rows(ParkedRow._make, "parked", actor, key, 0, limit))

    def failures_of(self, actor: str, message_id: bytes) -> list[FailureRow]:
        """See the port."""
        return list(self._rows(FailureRow._make, "failures_of", actor, message_id))

    def crashes_of(self, actor: str, message_id: bytes) -> list[CrashRow]:
        """See the port."""
        return list(self._rows(CrashRow._make, "crashes_of", actor, message_id))

    def dead_letters(self, actor: str | None = None, limit: int = 1000) -> list[DeadLetter]:
        """See the port."""
        if actor is None:
            return list(self._rows(DeadLetter._make, "dead_letters", limit))
        return list(self._rows(DeadLetter._make, "dead_letters_of", actor, limit))

    def effects_of(self, actor: str, key: str) -> list[EffectRow]:
        """See the port."""
        return list(self._rows(EffectRow._make, "effects_of", actor, key))

    def letter(self, actor: str, message_id: bytes) -> DeadLetter | None:
        """See the port."""
        return next(self._rows(DeadLetter._make, "letter", actor, message_id), None)

    def edits_of(self, actor: str, message_id: bytes) -> list[Edit]:
        """See the port."""
        return list(self._rows(Edit._make, "edits_of", actor, message_id))

    def letters(self, which: Which, limit: int = 1000) -> list[DeadLetter]:
        """See the port."""
        return list(self._rows(DeadLetter._make, "letters", *which, limit))

    def letter_groups(self, which: Which, limit: int = 1000) -> list[LetterGroup]:
        """See the port."""
        return list(self._rows(LetterGroup._make, "letter_groups", *which, limit))

    def keys_parked(self, actor: str | None = None, reason: str | None = None, limit: int = 1000) -> list[ParkedKey]:
        """See the port."""
        return list(self._rows(ParkedKey._make, "keys_parked", actor, reason, limit))

    def pauses(self) -> list[Pause]:
        """See the port."""
        return list(self._rows(Pause._make, "pauses"))

    def requests(self, ids: Sequence[bytes]) -> list[Request]:
        """See the port."""
        return list(self._rows(Request._make, "requests", json.dumps([each.hex() for each in ids])))

    def requests_of(self, shard: str, key: str, limit: int = 1000) -> list[Request]:
        """See the port."""
        return list(self._rows(Request._make, "requests_of", shard, key, limit))

    def replays(self, limit: int = 1000) -> list[Replay]:
        """See the port."""
        return list(self._rows(Replay._make, "replays", limit))

    def replay_letters(self, replay: bytes) -> list[ReplayLetter]:
        """See the port."""
        return list(self._rows(ReplayLetter._make, "replay_letters", replay))

    def replayed(self, replay: bytes) -> list[Replayed]:
        """See the port."""
        return list(self._rows(Replayed._make, "replayed", replay))

    def unsent_of(self, actor: str) -> list[OutboxRow]:
        """See the port."""
        return list(self._rows(OutboxRow._make, "unsent_of", actor))

    def shards(self) -> list[ShardRow]:
        """See the port."""
        positions: dict[str, dict[str, Position]] = {}
        with self._connection.snapshot("reading shards"):
            for shard, source, *at in self._connection.rows(SQL["all_positions"]):
                positions.setdefault(shard, {})[source] = Position(*at)
            hands: dict[str, list[tuple[Any, ...]]] = {}
            for hand in self._connection.rows(SQL["all_hands"]):
                hands.setdefault(hand[0], []).append(hand)
            rows = self._connection.rows(SQL["shards"])
        return [shard_row(row, positions.get(row[0], {}), hands.get(row[0], ())) for row in rows]

    def members(self) -> list[Member]:
        """See the port."""
        return list(self._rows(member_of, "members"))

    def now(self) -> Instant:
        """See the port."""
        return self._now()

    def loads(self) -> dict[str, Load]:
        """See the port."""
        return {shard: Load(*counts) for shard, *counts in self._selected(SQL["loads"], ())}

    def settings(self) -> dict[str, str]:
        """See the port."""
        with said_plainly("reading the store's settings"):
            found = {name: self._connection.rows(f"PRAGMA {name}") for name in ("journal_mode", "synchronous")}
        return {PRODUCT: "sqlite", **{name: str(rows[0][0]) for name, rows in found.items()}}

    def states_of(self, actor: str) -> Iterator[StateRow]:
        """See the port."""
        return self._rows(StateRow._make, "states_of", actor)

    def journal_of(self, actor: str) -> Iterator[JournalRow]:
        """See the port."""
        return self._rows(JournalRow._make, "journal_of", actor)

    def all_failures_of(self, actor: str) -> Iterator[FailureRow]:
        """See the port."""
        return self._rows(FailureRow._make, "all_failures_of", actor)

    def all_crashes_of(self, actor: str) -> Iterator[CrashRow]:
        """See the port."""
        return self._rows(CrashRow._make, "all_crashes_of", actor)

    def rows_of(self, table: str) -> Iterator[tuple[object, ...]]:
        """See the port. `StoreError` for a table that was never prepared; `ValueError` for no table's name."""
        statement = f"SELECT * FROM {table_name(table)} ORDER BY message_id, ordinal"  # noqa: S608 - the name was checked
        return ((*row[:2], *row[3:]) for row in self._selected(statement, ()))

    def schemas(self) -> dict[str, str]:
        """See the port."""
        return dict(self._selected(SQL["schemas"], ()))

    def close(self) -> None:
        """See the port. Closing twice is harmless."""
        self._connection.close()

    def _rows(self, make: Callable[[tuple[Any, ...]], _Row], name: str, *values: _Value) -> Iterator[_Row]:
        return map(make, self._selected(SQL[name], values))

    def _selected(self, statement: str, values: tuple[_Value, ...]) -> Iterator[tuple[Any, ...]]:
        with said_plainly("reading the store"):
            if self._eager:
                yield from self._connection.rows(statement, values)
            else:
                yield from self._connection.iterate(statement, values)
