"""What tools write, on a connection of their own (R27)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.store.sqlite.database import SQL, open_asking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.store.sqlite.database import Database


class SqliteRequests:
    """See `Requests`. Works beside the worker's connection, which it keeps waiting for milliseconds at most."""

    def __init__(self, database: Database) -> None:
        self._now = database.now
        self._connection = open_asking(database.setup)

    def ask(self, requests: Sequence[Request]) -> None:
        """See the port."""
        now = self._now()
        with self._connection.transaction("asking the shards' owners"):
            self._connection.run(SQL["ask"], [(*request[:7], now) for request in requests])

    def close(self) -> None:
        """See the port. Closing twice is harmless."""
        self._connection.close()
