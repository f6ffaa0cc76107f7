"""A database and its connections: made within a deadline, limited on both sides, and made again when lost."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from magnetar.runtime.store.port import CommitUnknown, StoreError, StoreUnavailable
from magnetar.runtime.store.postgres import packing
from magnetar.runtime.store.postgres.connection import Call, Connection, Lost, Refused
from magnetar.runtime.store.postgres.failures import translated
from magnetar.runtime.store.sql.queries import queries

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from magnetar.runtime.store.postgres.connection import Rows

SQL = queries("postgres")
_BEGIN, _COMMIT, _ROLLBACK = Call("BEGIN"), Call("COMMIT"), Call("ROLLBACK")
# A session that is cut off or frozen in a transaction gives its locks back within two seconds (R17). Every question of
# the engine is for rows by their keys, so plans are made once, and never by reading whole tables.
_ENGINE = {
    "default_transaction_isolation": "read committed",
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": "2s",
    "transaction_timeout": "2s",  # from PostgreSQL 17 on
    "statement_timeout": "2s",
    "lock_timeout": "1500ms",  # longer than the server takes to find a deadlock
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_memoize": "off",  # no key comes twice in a group
}
_READER = {
    "default_transaction_isolation": "repeatable read",
    "default_transaction_read_only": "on",
    "idle_in_transaction_session_timeout": "60s",
    "statement_timeout": "30s",
}


_UPKEEP = {"default_transaction_isolation": "read committed", "synchronous_commit": "on"}
_UPKEEP_SECONDS = 600.0


class Setup(NamedTuple):
    """How to reach a database. `conninfo` may hold a password, `label` is for people; `patience` is in seconds."""

    conninfo: str
    label: str
    patience: float


class Session:
    """The connection of one thread to a database; no call blocks longer than the patience, connecting included.

    It is made when first needed, and again after it was lost. Raises `StoreUnavailable` for what did not happen.
    """

    def __init__(self, setup: Setup, settings: Mapping[str, str]) -> None:
        self.setup = setup
        self._settings = settings
        self._connection: Connection | None = None
        self._away_until = 0.0
        self._closed = False

    def connect(self) -> None:
        """Make a new connection in place of the one there is."""
        self._drop()
        self._closed = False
        self._connected(self._deadline())

    def close(self) -> None:
        """Close it for good. Closing twice is harmless."""
        self._closed = True
        self._drop()

    def read(self, doing: str, *calls: Call) -> list[Rows]:
        """What the calls return, in one round trip."""
        deadline = self._deadline()
        connection = self._connected(deadline)
        with self._said_plainly(doing, deadline):
            return connection.exchange(calls, deadline)

    def write(self, doing: str, calls: Sequence[Call]) -> list[Rows]:
        """The calls in one transaction and round trip. Raises `Refused`, after rolling back, and `CommitUnknown`."""
        deadline = self._deadline()
        connection = self._connected(deadline)
        try:
            return connection.exchange([_BEGIN, *calls, _COMMIT], deadline)[1:-1]
        except Refused as error:
            self._roll_back(connection)
            raise Refused(error.index - 1, error.code, str(error)) from error
        except Lost as error:
            raise self._lost(error, doing, deadline) from error

    @contextmanager
    def transaction(self, doing: str, patience: float | None = None) -> Generator[Transaction]:
        """A transaction of several round trips within one deadline. Raises `CommitUnknown`, or as `translated` says."""
        deadline = self._deadline() if patience is None else time.monotonic() + patience
        connection = self._connected(deadline)
        with self._said_plainly(doing, deadline):
            connection.exchange([_BEGIN], deadline)
            try:
                yield Transaction(connection, deadline)
            except BaseException:
                self._roll_back(connection)
                raise
            try:
                connection.exchange([_COMMIT], deadline)
            except Lost as error:
                raise self._lost(error, doing, deadline) from error

    def _deadline(self) -> float:
        return time.monotonic() + self.setup.patience

    def _connected(self, deadline: float) -> Connection:
        if self._closed:
            message = f"the store at {self.setup.label} was closed: open another"
            raise StoreUnavailable(message)
        if self._connection is None or not self._connection.still_there():
            self._drop()
            self._connection = self._made(deadline)
        return self._connection

    def _give_up_for_a_while(self, deadline: float) -> None:
        """After a silence that lasted until a deadline the next calls fail at once, for a third of the patience.

        Each would cost a whole deadline, and the loop must go round in the meantime: to notice for how long the store
        has been away, and let its shards go (R13). Seen without: 15 s until others had them, with: 7 s.
        """
        if time.monotonic() >= deadline:
            self._away_until = time.monotonic() + self.setup.patience / 3

    def _made(self, deadline: float) -> Connection:
        if time.monotonic() < self._away_until:
            message = f"connecting: {self.setup.label} did not answer a moment ago; trying again soon"
            raise StoreUnavailable(message)
        deadline = min(deadline, time.monotonic() + self.setup.patience / 2)
        with self._said_plainly("connecting", deadline):
            connection = Connection(self.setup.conninfo, deadline)
            names, wishes = list(self._settings), list(self._settings.values())
            connection.exchange([Call(SQL["settings"], (packing.texts(names), packing.texts(wishes)))], deadline)
            return connection

    @contextmanager
    def _said_plainly(self, doing: str, deadline: float) -> Generator[None]:
        try:
            yield
        except Refused as error:
            raise translated(error, doing) from error
        except Lost as error:
            self._give_up_for_a_while(deadline)
            raise self._unavailable(error, doing) from error

    def _lost(self, error: Lost, doing: str, deadline: float) -> StoreError:
        """For a transaction that went out with its COMMIT."""
        self._give_up_for_a_while(deadline)
        if error.sent and not error.failed:
            message = f"{doing}: {self.setup.label} did not answer to COMMIT ({error}); reconnect and read it back"
            return CommitUnknown(message)
        return self._unavailable(error, doing)

    def _unavailable(self, error: Lost, doing: str) -> StoreUnavailable:
        message = f"{doing}: {self.setup.label}: {error}; look at the server and the way to it, then try again"
        return StoreUnavailable(message)

    def _roll_back(self, connection: Connection) -> None:
        """End the transaction; a connection that cannot even do that is dropped, which ends it too."""
        try:
            if connection.usable:
                connection.exchange([_ROLLBACK], self._deadline())
        except (Lost, Refused):
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Transaction:
    """An open transaction; its calls raise `Refused` and `Lost`."""

    def __init__(self, connection: Connection, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def run(self, *calls: Call) -> list[Rows]:
        """One round trip."""
        return self._connection.exchange(calls, self._deadline)

    def script(self, text: str) -> None:
        """Statements without parameters."""
        self._connection.script(text, self._deadline)


def engine_session(setup: Setup) -> Session:
    """For the loop."""
    return Session(setup, _ENGINE)


def upkeep_session(setup: Setup) -> Session:
    """For operators' commands, which read whole tables and may take their time."""
    return Session(setup._replace(patience=_UPKEEP_SECONDS), _UPKEEP)


def reading_session(setup: Setup) -> Session:
    """For operators: it cannot write."""
    return Session(setup, _READER)
