"""The migrations that a database lacks: one process at a time, each in a transaction of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.store.port import StoreUnavailable
from magnetar.runtime.store.postgres import packing
from magnetar.runtime.store.postgres.connection import Call
from magnetar.runtime.store.postgres.database import SQL
from magnetar.runtime.store.sql.migrations import Applied, Phase, migrate, migrations, missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.store.postgres.database import Session, Transaction
    from magnetar.runtime.store.sql.migrations import Migration

_LOCK = 0x6D61676E65746172  # "magnetar": nobody else's advisory lock
_PATIENCE = 300.0


class PostgresLedger:
    """The migrations table of a PostgreSQL database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def applied(self) -> Mapping[int, Applied]:
        """See `Ledger`."""
        [[(there,)]] = self._session.read("looking for migrations", Call(SQL["has_migrations_table"]))
        if not there:
            return {}
        [found] = self._session.read("reading migrations", Call(SQL["migrations"]))
        return _applied(found)

    def apply(self, migration: Migration) -> None:
        """Run it and note it, unless another process did since we looked, which waits for us or we for it."""
        with self._session.transaction(f"migration {migration.number:04}", _PATIENCE) as transaction:
            exclude_others(transaction)
            transaction.run(Call(SQL["migrations_table"]))
            [found] = transaction.run(Call(SQL["migrations"]))
            if migration.number in _applied(found):
                return
            transaction.script(migration.text)
            note = (
                packing.integer(migration.number),
                *map(packing.text, (migration.phase.value, migration.name, migration.checksum)),
            )
            transaction.run(Call(SQL["add_migration"], note))


def _applied(rows: list[tuple[int, str, str]]) -> dict[int, Applied]:
    return {number: Applied(phase, checksum) for number, phase, checksum in rows}


def exclude_others(transaction: Transaction) -> None:
    """Until the transaction ends no other process migrates, prepares or partitions, and none of our limits holds."""
    transaction.run(Call(SQL["without_haste"]), Call(SQL["one_at_a_time"], (packing.integer(_LOCK),)))


def bring_up_to_date(session: Session, phases: frozenset[Phase]) -> None:
    """Apply what is missing of these phases. `StoreMismatch` as `missing` says."""
    migrate(PostgresLedger(session), migrations("postgres"), phases)


def still_missing(session: Session) -> list[Migration]:
    """What the database lacks, of both phases. `StoreMismatch`."""
    return missing(PostgresLedger(session).applied(), migrations("postgres"))


def check_migrated(session: Session) -> None:
    """`StoreUnavailable` unless all is there that reading needs."""
    if any(each.phase is Phase.PRE for each in still_missing(session)):
        message = f"{session.setup.label} lacks migrations: start a worker on it once"
        raise StoreUnavailable(message)
