"""How rows of a group are written: added, which must be new, or changed, which must be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw

from magnetar.runtime.store.sqlite.conflict import RowConflict
from magnetar.runtime.store.sqlite.database import SQL
from magnetar.runtime.store.sqlite.failures import is_taken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.sqlite.connection import Connection


def run(connection: Connection, name: str, rows: Sequence[tuple[object, ...]]) -> int:
    """Run the named statement for every row; returns how many rows of the table it changed."""
    return connection.run(SQL[name], rows) if rows else 0


def add(connection: Connection, name: str, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows that must be new. `RowConflict`."""
    try:
        added = run(connection, name, rows)
    except apsw.ConstraintError as error:
        if is_taken(error):
            raise RowConflict(table) from error
        raise
    assert added == len(rows), f"{table}: {added} of {len(rows)} rows inserted"


def change(connection: Connection, name: str, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Change or delete rows, one for each of those given, that must be there. `RowConflict`."""
    all_or_conflict(run(connection, name, rows), len(rows), table)


def all_or_conflict(changed: int, wanted: int, table: str) -> None:
    """`RowConflict` unless as many rows were changed as had to be."""
    if changed != wanted:
        raise RowConflict(table)
