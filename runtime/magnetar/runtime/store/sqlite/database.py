"""Opening a database: settings that make a commit durable, and the migrations it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from magnetar.runtime.store.port import StoreUnavailable
from magnetar.runtime.store.sql.migrations import BOTH_PHASES, Applied, migrate, migrations, missing
from magnetar.runtime.store.sql.queries import queries
from magnetar.runtime.store.sqlite.connection import ASK, READ, WRITE, Connection
from magnetar.runtime.store.sqlite.failures import said_plainly

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.sql.migrations import Migration

SQL = queries("sqlite")
# Pages of 8 KiB cost an eighth less CPU a message than the usual 4; a cache of 64 MiB; on macOS syncs reach the disk.
_SETTINGS = "PRAGMA page_size=8192; PRAGMA cache_size=-65536; PRAGMA fullfsync=ON; PRAGMA checkpoint_fullfsync=ON"

# For readers too: what they see of it is what a writer has.
_DURABLE = "PRAGMA synchronous = FULL"


class Setup(NamedTuple):
    """How to open the data: a file URI, its journal mode, and the longest wait for a lock in seconds."""

    uri: str
    journal_mode: str
    patience: float


class Database(Protocol):
    """Data that outlives its connections."""

    @property
    def setup(self) -> Setup:
        """How to open it."""
        ...

    def now(self) -> Instant:
        """The clock of the data's place (R5)."""
        ...

    def connect(self) -> Connection:
        """A connection that writes; the data is migrated. `StoreUnavailable`, `StoreMismatch`."""
        ...

    def disconnect(self, connection: Connection) -> None:
        """End it, with what was under way on it; twice is harmless."""
        ...


def open_writing(setup: Setup) -> Connection:
    """The loop's connection, migrated. `StoreUnavailable`, `StoreMismatch`."""
    connection = Connection(setup.uri, WRITE, setup.patience)
    try:
        with said_plainly(f"setting up {setup.uri}"):
            _keep_durable(connection, setup)
            migrate(SqliteLedger(connection), migrations("sqlite"), BOTH_PHASES)  # one process: no old code runs beside
    except BaseException:
        connection.close()
        raise
    return connection


def open_reading(setup: Setup) -> Connection:
    """A connection that cannot write. `StoreUnavailable` when there is no store, `StoreMismatch` for another one."""
    connection = Connection(setup.uri, READ, setup.patience)
    try:
        with said_plainly(f"reading {setup.uri}"):
            connection.rows(_DURABLE)
            _check_migrated(connection, setup)
    except BaseException:
        connection.close()
        raise
    return connection


def open_asking(setup: Setup) -> Connection:
    """A connection that writes what a tool asks, and makes nothing anew. Raises as `open_reading` does."""
    connection = Connection(setup.uri, ASK, setup.patience)
    try:
        with said_plainly(f"setting up {setup.uri}"):
            connection.rows(_SETTINGS)
            connection.rows(_DURABLE)
            _check_migrated(connection, setup)
    except BaseException:
        connection.close()
        raise
    return connection


def _keep_durable(connection: Connection, setup: Setup) -> None:
    """Every commit is on the disk when it returns, or the store refuses to open."""
    connection.rows(_SETTINGS)
    [(mode,)] = connection.rows(f"PRAGMA journal_mode = {setup.journal_mode}")
    connection.rows(_DURABLE)
    if mode != setup.journal_mode:
        message = f"{setup.uri}: its file system allows journal mode {mode}, not {setup.journal_mode}; use a local disk"
        raise StoreUnavailable(message)


def _check_migrated(connection: Connection, setup: Setup) -> None:
    if missing(SqliteLedger(connection).applied(), migrations("sqlite")):
        message = f"{setup.uri} lacks migrations: start a worker on it once"
        raise StoreUnavailable(message)


class SqliteLedger:
    """The migrations table of a SQLite database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def applied(self) -> Mapping[int, Applied]:
        """See `Ledger`."""
        if not self._connection.rows(SQL["has_migrations_table"]):
            return {}
        return {
            number: Applied(phase, checksum) for number, phase, checksum in self._connection.rows(SQL["migrations"])
        }

    def apply(self, migration: Migration) -> None:
        """Run it and note it, unless another connection did since we looked."""
        with self._connection.transaction(f"migration {migration.number:04}"):
            self._connection.rows(SQL["migrations_table"])
            if migration.number in self.applied():
                return
            self._connection.rows(migration.text)
            note = (migration.number, migration.phase.value, migration.name, migration.checksum)
            self._connection.rows(SQL["add_migration"], note)
