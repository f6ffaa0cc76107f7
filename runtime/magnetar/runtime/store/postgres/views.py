"""Operators' queries on connections of their own that cannot write.

Answers of one table's size come by a cursor, each on a connection that it closes at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from magnetar.runtime.bus.port import Position
from magnetar.runtime.store.care import CrashRow
from magnetar.runtime.store.effects import EffectRow
from magnetar.runtime.store.parking import DeadLetter, FailureRow, ParkedKey, ParkedRow
from magnetar.runtime.store.port import JournalRow, OutboxRow, StateRow, StoreUnavailable, TimerRow
from magnetar.runtime.store.postgres.care import shard_row
from magnetar.runtime.store.postgres.connection import Call
from magnetar.runtime.store.postgres.database import SQL, engine_session, reading_session
from magnetar.runtime.store.postgres.migrating import check_migrated
from magnetar.runtime.store.postgres.packing import integer, optional, packed_choice, text, texts, uuids
from magnetar.runtime.store.replays import Replay, Replayed, ReplayLetter
from magnetar.runtime.store.requests import Edit, Pause, Request
from magnetar.runtime.store.roster import Member
from magnetar.runtime.store.sql.tables import table_name
from magnetar.runtime.store.views import PRODUCT, LetterGroup, Load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardRow
    from magnetar.runtime.store.postgres.connection import Rows
    from magnetar.runtime.store.postgres.database import Setup
    from magnetar.runtime.store.postgres.packing import Packed
    from magnetar.runtime.store.views import Which

_Row = TypeVar("_Row")
_DOING = "reading the store"
_JUDGED = (
    *("server_version_num", "fsync", "full_page_writes", "synchronous_commit", "max_connections"),
    *("idle_in_transaction_session_timeout", "transaction_timeout", "default_transaction_isolation"),
)
_FETCH = Call("FETCH 500 FROM answer")


class PostgresViews:
    """See `Views`. Every call may raise `StoreUnavailable`; one thread at a time.

    An iterator that is not read for a minute is ended by the server: read it or drop it.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._session = reading_session(setup)
        self._closed = False
        check_migrated(self._session)

    def state(self, actor: str, key: str) -> StateRow | None:
        """See the port."""
        return next(self._rows(StateRow._make, "state", text(actor), text(key)), None)

    def timeline(self, actor: str, key: str, limit: int = 1000) -> list[JournalRow]:
        """See the port."""
        return list(self._rows(JournalRow._make, "timeline", text(actor), text(key), integer(limit)))

    def entry(self, actor: str, message_id: bytes) -> JournalRow | None:
        """See the port."""
        return next(self._rows(JournalRow._make, "entry", text(actor), message_id), None)

    def timers_of(self, actor: str, key: str) -> list[TimerRow]:
        """See the port."""
        return list(self._rows(TimerRow._make, "timers_of", text(actor), text(key)))

    def parked_key(self, actor: str, key: str) -> ParkedKey | None:
        """See the port."""
        return next(self._rows(ParkedKey._make, "parked_key", text(actor), text(key)), None)

    def parked_of(self, actor: str, key: str, limit: int = 1000) -> list[ParkedRow]:
        """See the port."""
        values = text(actor), text(key), integer(0), integer(limit)
        return list(self._rows(ParkedRow._make, "parked", *values))

    def failures_of(self, actor: str, message_id: bytes) -> list[FailureRow]:
        """See the port."""
        return list(self._rows(FailureRow._make, "failures_of", text(actor), message_id))

    def crashes_of(self, actor: str, message_id: bytes) -> list[CrashRow]:
        """See the port."""
        return list(self._rows(CrashRow._make, "crashes_of", text(actor), message_id))

    def dead_letters(self, actor: str | None = None, limit: int = 1000) -> list[DeadLetter]:
        """See the port."""
        if actor is None:
            return list(self._rows(DeadLetter._make, "dead_letters", integer(limit)))
        return list(self._rows(DeadLetter._make, "dead_letters_of", text(actor), integer(limit)))

    def effects_of(self, actor: str, key: str) -> list[EffectRow]:
        """See the port."""
        return list(self._rows(EffectRow._make, "effects_of", text(actor), text(key)))

    def letter(self, actor: str, message_id: bytes) -> DeadLetter | None:
        """See the port."""
        return next(self._rows(DeadLetter._make, "letter", text(actor), message_id), None)

    def edits_of(self, actor: str, message_id: bytes) -> list[Edit]:
        """See the port."""
        return list(self._rows(Edit._make, "edits_of", text(actor), message_id))

    def letters(self, which: Which, limit: int = 1000) -> list[DeadLetter]:
        """See the port."""
        return list(self._rows(DeadLetter._make, "letters", *packed_choice(which), integer(limit)))

    def letter_groups(self, which: Which, limit: int = 1000) -> list[LetterGroup]:
        """See the port."""
        return list(self._rows(LetterGroup._make, "letter_groups", *packed_choice(which), integer(limit)))

    def keys_parked(self, actor: str | None = None, reason: str | None = None, limit: int = 1000) -> list[ParkedKey]:
        """See the port."""
        values = optional(text, actor), optional(text, reason), integer(limit)
        return list(self._rows(ParkedKey._make, "keys_parked", *values))

    def pauses(self) -> list[Pause]:
        """See the port."""
        return list(self._rows(Pause._make, "pauses"))

    def requests(self, ids: Sequence[bytes]) -> list[Request]:
        """See the port."""
        return list(self._rows(Request._make, "requests", uuids(ids)))

    def requests_of(self, shard: str, key: str, limit: int = 1000) -> list[Request]:
        """See the port."""
        return list(self._rows(Request._make, "requests_of", text(shard), text(key), integer(limit)))

    def replays(self, limit: int = 1000) -> list[Replay]:
        """See the port."""
        return list(self._rows(Replay._make, "replays", integer(limit)))

    def replay_letters(self, replay: bytes) -> list[ReplayLetter]:
        """See the port."""
        return list(map(ReplayLetter._make, self._long(SQL["replay_letters"], replay)))

    def replayed(self, replay: bytes) -> list[Replayed]:
        """See the port."""
        return list(map(Replayed._make, self._long(SQL["replayed"], replay)))

    def unsent_of(self, actor: str) -> list[OutboxRow]:
        """See the port."""
        return list(self._rows(OutboxRow._make, "unsent_of", text(actor)))

    def shards(self) -> list[ShardRow]:
        """See the port."""
        positions: dict[str, dict[str, Position]] = {}
        hands: dict[str, list[tuple[Any, ...]]] = {}
        asked = [Call(SQL[name]) for name in ("all_positions", "all_hands", "shards")]
        found, held, rows = self._session.read(_DOING, *asked)
        for shard, source, *at in found:
            positions.setdefault(shard, {})[source] = Position(*at)
        for hand in held:
            hands.setdefault(hand[0], []).append(hand)
        return [shard_row(row, positions.get(row[0], {}), hands.get(row[0], ())) for row in rows]

    def members(self) -> list[Member]:
        """See the port."""
        return list(self._rows(Member._make, "members"))

    def now(self) -> Instant:
        """See the port."""
        return int(self._ask("now")[0][0])

    def loads(self) -> dict[str, Load]:
        """See the port."""
        return {shard: Load(*counts) for shard, *counts in self._ask("loads")}

    def settings(self) -> dict[str, str]:
        """See the port."""
        session = engine_session(self._setup)
        try:
            [rows] = session.read(_DOING, Call(SQL["settings_in_force"], (texts(_JUDGED),)))
        finally:
            session.close()
        return {PRODUCT: "postgresql", **dict(rows)}

    def states_of(self, actor: str) -> Iterator[StateRow]:
        """See the port."""
        return map(StateRow._make, self._long(SQL["states_of"], text(actor)))

    def journal_of(self, actor: str) -> Iterator[JournalRow]:
        """See the port."""
        return map(JournalRow._make, self._long(SQL["journal_of"], text(actor)))

    def all_failures_of(self, actor: str) -> Iterator[FailureRow]:
        """See the port."""
        return map(FailureRow._make, self._long(SQL["all_failures_of"], text(actor)))

    def all_crashes_of(self, actor: str) -> Iterator[CrashRow]:
        """See the port."""
        return map(CrashRow._make, self._long(SQL["all_crashes_of"], text(actor)))

    def rows_of(self, table: str) -> Iterator[tuple[object, ...]]:
        """See the port. `StoreError` for a table that was never prepared; `ValueError` for no table's name."""
        statement = f"SELECT * FROM {table_name(table)} ORDER BY message_id, ordinal"  # noqa: S608 - the name was checked
        return ((*row[:2], *row[3:]) for row in self._long(statement))

    def schemas(self) -> dict[str, str]:
        """See the port."""
        return dict(self._ask("schemas"))

    def close(self) -> None:
        """See the port. Closing twice is harmless."""
        self._closed = True
        self._session.close()

    def _rows(self, make: Callable[[tuple[Any, ...]], _Row], name: str, *values: Packed) -> Iterator[_Row]:
        return map(make, self._ask(name, *values))

    def _ask(self, name: str, *values: Packed) -> Rows:
        return self._session.read(_DOING, Call(SQL[name], values))[0]

    def _long(self, statement: str, *values: bytes) -> Iterator[tuple[Any, ...]]:
        """All rows, as they were when the first was read, fetched as they are wanted."""
        if self._closed:
            message = f"{_DOING}: these views of {self._setup.label} were closed"
            raise StoreUnavailable(message)
        session = reading_session(self._setup)
        try:
            declaration = Call(f"DECLARE answer NO SCROLL CURSOR FOR {statement}", values)
            *_, rows = session.read(_DOING, Call("BEGIN"), declaration, _FETCH)
            while rows:
                yield from rows
                [rows] = session.read(_DOING, _FETCH)
        finally:
            session.close()
