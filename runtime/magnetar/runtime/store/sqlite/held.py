"""See `store.held`, for SQLite: on a connection that cannot write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magnetar.runtime.store.held import TABLES, HeldRow, What
from magnetar.runtime.store.sql.migrations import check_readable, migrations
from magnetar.runtime.store.sqlite.connection import READ, Connection
from magnetar.runtime.store.sqlite.database import SQL, SqliteLedger
from magnetar.runtime.store.sqlite.failures import said_plainly

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from magnetar.runtime.store.sqlite.database import Setup

_DOING = "reading what the store holds"
_ROWS: Mapping[What, str] = {
    What.STATES: SQL["held_states"],
    What.TIMERS: SQL["held_timers"],
    What.PARKED: SQL["held_parked"],
    What.LETTERS: SQL["held_letters"],
    What.OUTBOX: SQL["held_outbox"],
    What.EFFECTS: SQL["held_effects"],
}


class SqliteHeld:
    """See `Held`. `StoreUnavailable` where there is no store, `StoreMismatch` for one that is beyond this code."""

    def __init__(self, setup: Setup) -> None:
        self._eager = setup.journal_mode != "wal"  # in memory an open question would keep the writer out
        self._connection = Connection(setup.uri, READ, setup.patience)
        try:
            with said_plainly(_DOING):
                applied = SqliteLedger(self._connection).applied()
                self._tables = {name for (name,) in self._connection.rows(SQL["tables"])}
            check_readable(applied, migrations("sqlite"), setup.uri)
        except BaseException:
            self._connection.close()
            raise

    def rows(self, what: What) -> Iterator[HeldRow]:
        """See the port."""
        if TABLES[what] not in self._tables:
            return iter(())
        return map(HeldRow._make, self._selected(_ROWS[what]))

    def schemas(self) -> dict[str, str]:
        """See the port."""
        return dict(self._selected(SQL["schemas"]))

    def generations(self) -> dict[str, int]:
        """See the port. Without the table of workers the layout is of code that knows no generations."""
        return dict(self._selected(SQL["contracts_of_shards"])) if "workers" in self._tables else {}

    def close(self) -> None:
        """See the port."""
        self._connection.close()

    def _selected(self, statement: str) -> Iterator[tuple[Any, ...]]:
        with said_plainly(_DOING):
            if self._eager:
                yield from self._connection.rows(statement)
            else:
                yield from self._connection.iterate(statement)
