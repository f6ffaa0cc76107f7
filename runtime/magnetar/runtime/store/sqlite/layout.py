"""What `prepare` makes: the shard rows of the actors, and the application's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.store.port import StoreMismatch
from magnetar.runtime.store.sql.tables import OWN_COLUMNS, check_table, table_name
from magnetar.runtime.store.sqlite.database import SQL

if TYPE_CHECKING:
    from magnetar.runtime.store.sqlite.connection import Connection
    from magnetar.runtime.table import Table


def prepare_actor(connection: Connection, actor: str, partitions: int) -> None:
    """Make the actor's shard rows. `StoreMismatch` when the store knows it with other partitions (R31)."""
    known = connection.rows(SQL["partitions"], (actor,))
    if known and known[0][0] != partitions:
        message = (
            f"actor {actor!r} has {known[0][0]} partitions in the store, not {partitions}: their number is for life"
        )
        raise StoreMismatch(message)
    if not known:
        connection.rows(SQL["add_actor"], (actor, partitions))
        connection.run(SQL["add_shard"], [(f"{actor}/{number}",) for number in range(partitions)])


def prepare_table(connection: Connection, table: Table) -> None:
    """Make the application's table. `StoreMismatch` when it is there with other columns."""
    check_table(table)
    name = table_name(table.name)
    found = connection.rows(SQL["table_columns"], (name,))
    if not found:
        connection.rows(_creation(table))
        return
    own = len(OWN_COLUMNS)
    stored = tuple((column, kind, bool(nullable)) for column, kind, nullable in found[own:])
    if stored != table.columns:
        message = f"table {name} has the columns {stored} in the store, not {table.columns}: write a migration for it"
        raise StoreMismatch(message)


def _creation(table: Table) -> str:
    """The names were checked against a strict pattern; the quotes are for words that SQL keeps for itself."""
    columns = [f'"{name}" {kind}{"" if nullable else " NOT NULL"}' for name, kind, nullable in table.columns]
    own = ["message_id blob NOT NULL", "ordinal integer NOT NULL", "shard text NOT NULL"]
    listed = ", ".join([*own, *columns, "PRIMARY KEY (message_id, ordinal)"])
    return f"CREATE TABLE {table_name(table.name)} ({listed}) STRICT, WITHOUT ROWID"


def insertion(table: Table) -> str:
    """The statement that adds a row of the application's table."""
    marks = ", ".join("?" * (len(OWN_COLUMNS) + len(table.columns)))
    return f"INSERT INTO {table_name(table.name)} VALUES ({marks})"  # noqa: S608 - the name was checked
