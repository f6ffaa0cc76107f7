"""What tools write, on a connection of their own (R27)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.store.postgres import failures
from magnetar.runtime.store.postgres.columns import packed
from magnetar.runtime.store.postgres.connection import Call, Refused
from magnetar.runtime.store.postgres.database import SQL, engine_session, upkeep_session
from magnetar.runtime.store.postgres.migrating import check_migrated
from magnetar.runtime.store.postgres.packing import integer, packed_choice, real, text, texts, uuids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.postgres.database import Setup
    from magnetar.runtime.store.replays import Replay, ReplayStatus
    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.store.views import Which

_DOING = "asking the shards' owners"
_ROW = (uuids, texts, texts, texts, texts, texts, texts)


class PostgresRequests:
    """See `Requests`."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._session = engine_session(setup)
        check_migrated(self._session)

    def ask(self, requests: Sequence[Request]) -> None:
        """See the port."""
        if not requests:
            return
        self._write(Call(SQL["ask"], packed(_ROW, [request[:7] for request in requests])))

    def freeze(self, replay: Replay, which: Which, messages: Sequence[bytes]) -> int:
        """See the port. On a connection that may take its time: reading 100,000 rows takes longer than a request."""
        begin = (
            *(replay.id, text(replay.chosen), text(replay.who), text(replay.why), integer(replay.canary)),
            *(real(replay.rate), real(replay.stop_at), integer(replay.most)),
        )
        chosen = (*packed_choice(which), uuids(messages), replay.id)
        doing, session = "choosing dead letters", upkeep_session(self._setup)
        try:
            with session.transaction(doing) as transaction:
                [begun] = transaction.run(Call(SQL["begin_replay"], begin))
                if begun:
                    transaction.run(Call(SQL["freeze_letters"], chosen))
                [[(count,)]] = transaction.run(Call(SQL["count_letters"], (replay.id,)))
        except Refused as error:
            raise failures.translated(error, doing) from error
        finally:
            session.close()
        return int(count)

    def end(self, replay: bytes, status: ReplayStatus, said: str) -> None:
        """See the port."""
        self._write(Call(SQL["end_replay"], (replay, text(status.value), text(said))))

    def _write(self, call: Call) -> None:
        try:
            self._session.write(_DOING, [call])
        except Refused as error:
            raise failures.translated(error, _DOING) from error

    def close(self) -> None:
        """See the port. Closing twice is harmless."""
        self._session.close()
