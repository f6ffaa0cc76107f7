"""The database that runs stand on: one in memory, its connections kept for the next worker, its rows for no other run.

To open a connection and to prepare its statements takes longer than all that a worker of a run asks of them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from magnetar.chaos.simulation.agenda import START
from magnetar.runtime.store.sqlite import SqliteMemory

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.sqlite import SqliteViews
    from magnetar.runtime.store.sqlite.connection import Connection
    from magnetar.runtime.store.sqlite.requests import SqliteRequests


class Ground(SqliteMemory):
    """Used by one run at a time, in one thread.

    A worker that ends loses its open transaction, as ever; its connection goes to whoever connects next.
    """

    def __init__(self) -> None:
        self.clock: Callable[[], Instant] = lambda: START
        self._idle: list[Connection] = []
        self._trodden = False
        self._requests: SqliteRequests | None = None
        super().__init__(self._now)
        self._views = super().views()

    def _now(self) -> Instant:
        return self.clock()

    def begin(self, clock: Callable[[], Instant]) -> None:
        """A run begins, by this clock: nothing is left of those before. Everybody else has closed their stores."""
        self.clock = clock
        if self._trodden:
            self._clear()
        self._trodden = True

    def _clear(self) -> None:
        with self._anchor.transaction("clearing the ground"):
            for (table,) in self._anchor.rows(_TABLES):
                self._anchor.rows(f'DELETE FROM "{table}"')  # noqa: S608 - as the database itself names it

    def connect(self) -> Connection:
        """See `Database`."""
        return self._idle.pop() if self._idle else super().connect()

    def disconnect(self, connection: Connection) -> None:
        """See `Database`."""
        if connection.is_open:
            self._idle.append(connection.passed_on())

    def views(self) -> SqliteViews:
        """Open as long as the ground is there."""
        return self._views

    def requests(self) -> SqliteRequests:
        """Open as long as the ground is there."""
        if self._requests is None:
            self._requests = super().requests()
        return self._requests

    def close(self) -> None:
        """Let the data go."""
        self._views.close()
        if self._requests is not None:
            self._requests.close()
        for connection in self._idle:
            connection.close()
        super().close()


@cache
def lasting() -> Ground:
    """The one of this process, for as long as it lives; whoever makes runs in it one after another may stand on it."""
    return Ground()


_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migrations'"
