"""What `prepare` makes: the shard rows of the actors, and the application's tables."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from magnetar.runtime.store.port import StoreMismatch
from magnetar.runtime.store.postgres import packing
from magnetar.runtime.store.postgres.connection import Call
from magnetar.runtime.store.postgres.database import SQL
from magnetar.runtime.store.sql.tables import OWN_COLUMNS, check_table, table_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.store.postgres.database import Transaction
    from magnetar.runtime.table import Table

_TYPES: Mapping[str, str] = MappingProxyType(
    {"text": "text", "integer": "bigint", "real": "double precision", "blob": "bytea"}
)


def prepare_actor(transaction: Transaction, actor: str, partitions: int) -> None:
    """Make the actor's shard rows. `StoreMismatch` when the store knows it with other partitions (R31)."""
    [known] = transaction.run(Call(SQL["partitions"], (packing.text(actor),)))
    if known and known[0][0] != partitions:
        message = (
            f"actor {actor!r} has {known[0][0]} partitions in the store, not {partitions}: their number is for life"
        )
        raise StoreMismatch(message)
    if not known:
        values = packing.text(actor), packing.integer(partitions)
        transaction.run(Call(SQL["add_actor"], values), Call(SQL["add_shards"], values))


def prepare_table(transaction: Transaction, table: Table) -> None:
    """Make the application's table. `StoreMismatch` when it is there with other columns."""
    name = table_name(table.name)
    [found] = transaction.run(Call(SQL["table_columns"], (packing.text(name),)))
    if not found:
        transaction.script(_creation(table))
        return
    stored = tuple((column, kind, bool(nullable)) for column, kind, nullable in found[len(OWN_COLUMNS) :])
    if stored != table.columns:
        message = f"table {name} has the columns {stored} in the store, not {table.columns}: write a migration for it"
        raise StoreMismatch(message)


def _creation(table: Table) -> str:
    """The names were checked against a strict pattern; the quotes are for words that SQL keeps for itself."""
    check_table(table)
    columns = [f'"{name}" {_TYPES[kind]}{"" if nullable else " NOT NULL"}' for name, kind, nullable in table.columns]
    own = ["message_id uuid NOT NULL", "ordinal bigint NOT NULL", "shard text NOT NULL"]
    listed = ", ".join([*own, *columns, "PRIMARY KEY (message_id, ordinal)"])
    return f"CREATE TABLE {table_name(table.name)} ({listed})"


def insertion(table: Table) -> str:
    """The statement that adds rows of the application's table, column by column."""
    types = ("uuid", "bigint", "text", *(_TYPES[kind] for _, kind, _ in table.columns))
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, start=1))
    return f"INSERT INTO {table_name(table.name)} SELECT * FROM unnest({arrays})"  # noqa: S608 - the name was checked
