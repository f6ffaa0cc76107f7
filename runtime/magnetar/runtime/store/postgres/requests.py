"""What tools write, on a connection of their own (R27)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.store.postgres import failures
from magnetar.runtime.store.postgres.columns import packed
from magnetar.runtime.store.postgres.connection import Call, Refused
from magnetar.runtime.store.postgres.database import SQL, engine_session
from magnetar.runtime.store.postgres.migrating import check_migrated
from magnetar.runtime.store.postgres.packing import texts, uuids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.postgres.database import Setup
    from magnetar.runtime.store.requests import Request

_DOING = "asking the shards' owners"
_ROW = (uuids, texts, texts, texts, texts, texts, texts)


class PostgresRequests:
    """See `Requests`."""

    def __init__(self, setup: Setup) -> None:
        self._session = engine_session(setup)
        check_migrated(self._session)

    def ask(self, requests: Sequence[Request]) -> None:
        """See the port."""
        if not requests:
            return
        values = packed(_ROW, [request[:7] for request in requests])
        try:
            self._session.write(_DOING, [Call(SQL["ask"], values)])
        except Refused as error:
            raise failures.translated(error, _DOING) from error

    def close(self) -> None:
        """See the port. Closing twice is harmless."""
        self._session.close()
