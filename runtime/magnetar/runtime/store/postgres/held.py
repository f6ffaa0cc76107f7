"""See `store.held`, for PostgreSQL: a role that may only read is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magnetar.runtime.store.held import TABLES, HeldRow, What
from magnetar.runtime.store.postgres.connection import Call
from magnetar.runtime.store.postgres.database import SQL, reading_session
from magnetar.runtime.store.postgres.migrating import PostgresLedger
from magnetar.runtime.store.postgres.packing import texts
from magnetar.runtime.store.sql.migrations import check_readable, migrations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from magnetar.runtime.store.postgres.database import Setup

_DOING = "reading what the store holds"
_ROWS: Mapping[What, str] = {
    What.STATES: SQL["held_states"],
    What.TIMERS: SQL["held_timers"],
    What.PARKED: SQL["held_parked"],
    What.LETTERS: SQL["held_letters"],
    What.OUTBOX: SQL["held_outbox"],
    What.EFFECTS: SQL["held_effects"],
}
_FETCH = Call("FETCH 500 FROM answer")


class PostgresHeld:
    """See `Held`. `StoreUnavailable` where there is no store, `StoreMismatch` for one that is beyond this code.

    An iterator that is not read for a minute is ended by the server: read it or drop it.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._session = reading_session(setup)
        try:
            check_readable(PostgresLedger(self._session).applied(), migrations("postgres"), setup.label)
            [found] = self._session.read(_DOING, Call(SQL["those_there"], (texts([*TABLES.values()]),)))
            self._tables = {name for (name,) in found}
        except BaseException:
            self._session.close()
            raise

    def rows(self, what: What) -> Iterator[HeldRow]:
        """See the port."""
        if TABLES[what] not in self._tables:
            return iter(())
        return map(HeldRow._make, self._selected(_ROWS[what]))

    def schemas(self) -> dict[str, str]:
        """See the port."""
        return dict(self._session.read(_DOING, Call(SQL["schemas"]))[0])

    def generations(self) -> dict[str, int]:
        """See the port."""
        return dict(self._session.read(_DOING, Call(SQL["contracts_of_shards"]))[0])

    def close(self) -> None:
        """See the port."""
        self._session.close()

    def _selected(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """All rows, as they were when the first was read, fetched as they are wanted."""
        session = reading_session(self._setup)
        try:
            declaration = Call(f"DECLARE answer NO SCROLL CURSOR FOR {statement}")
            *_, rows = session.read(_DOING, Call("BEGIN"), declaration, _FETCH)
            while rows:
                yield from rows
                [rows] = session.read(_DOING, _FETCH)
        finally:
            session.close()
