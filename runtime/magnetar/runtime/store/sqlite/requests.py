"""What tools write, on a connection of their own (R27)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from magnetar.runtime.store.sqlite.database import SQL, open_asking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.replays import Replay, ReplayStatus
    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.store.sqlite.database import Database
    from magnetar.runtime.store.views import Which


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

    def freeze(self, replay: Replay, which: Which, messages: Sequence[bytes]) -> int:
        """See the port."""
        chosen = json.dumps([each.hex() for each in messages])
        with self._connection.transaction("choosing dead letters"):
            if self._connection.rows(SQL["begin_replay"], (*replay[:8], self._now())):
                self._connection.rows(SQL["freeze_letters"], (*which, chosen, replay.id))
            [(count,)] = self._connection.rows(SQL["count_letters"], (replay.id,))
        return int(count)

    def end(self, replay: bytes, status: ReplayStatus, said: str) -> None:
        """See the port."""
        with self._connection.transaction("ending a replay"):
            self._connection.rows(SQL["end_replay"], (replay, status.value, said, self._now()))

    def close(self) -> None:
        """See the port. Closing twice is harmless."""
        self._connection.close()
