"""The store port on one PostgreSQL connection, used by one thread."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from magnetar.runtime.bus.port import Position
from magnetar.runtime.store.effects import EffectRow
from magnetar.runtime.store.parking import DeadLetter, ParkedKey, ParkedRow
from magnetar.runtime.store.port import CommitUnknown, OutboxRow, StateRow, StoreMismatch, StoreUnavailable, TimerRow
from magnetar.runtime.store.postgres import failures, packing
from magnetar.runtime.store.postgres.care import shard_row
from magnetar.runtime.store.postgres.commit import commit_group
from magnetar.runtime.store.postgres.connection import Call, Refused
from magnetar.runtime.store.postgres.database import SQL, engine_session
from magnetar.runtime.store.postgres.journal import make_ahead
from magnetar.runtime.store.postgres.layout import prepare_actor, prepare_table
from magnetar.runtime.store.postgres.migrating import bring_up_to_date, exclude_others
from magnetar.runtime.store.postgres.packing import integer, text, texts, uuids
from magnetar.runtime.store.postgres.periods import Period
from magnetar.runtime.store.requests import Pause, Request
from magnetar.runtime.store.roster import MEMORY_OF_WORKERS, Roster, Standing
from magnetar.runtime.store.roster import Member as _Member
from magnetar.runtime.store.sql.migrations import Phase
from magnetar.runtime.store.sql.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardChanges, ShardName, ShardRow, Taker
    from magnetar.runtime.store.postgres.connection import Rows
    from magnetar.runtime.store.postgres.database import Setup
    from magnetar.runtime.store.roster import Beat
    from magnetar.runtime.table import Table

_PREPARING_SECONDS = 60.0


class PostgresStore:
    """One connection to a database. Every call is one transaction, and all but `prepare` one round trip.

    No call but `prepare` blocks for longer than the patience of its place. A connection that was lost is made again by
    the next call. Not only `commit`, also `take` and `release` may end in `CommitUnknown`; each may be repeated.
    """

    def __init__(self, setup: Setup, period: Period = Period.MONTH) -> None:
        self._tables: dict[str, Table] = {}
        self._session = engine_session(setup)
        bring_up_to_date(self._session, frozenset({Phase.PRE}))
        make_ahead(self._session, period)

    def now(self) -> Instant:
        """The database server's clock."""
        [[(now,)]] = self._session.read("reading the clock", Call(SQL["now"]))
        return int(now)

    def prepare(self, partitions: Mapping[str, int], tables: Iterable[Table]) -> None:
        """See the port. `ValueError` for a table whose names or kinds may not stand in SQL."""
        declared = {table.name: table for table in tables}
        for table in declared.values():
            check_table(table)
        with self._session.transaction("preparing the store", _PREPARING_SECONDS) as transaction:
            exclude_others(transaction)
            for actor, count in sorted(partitions.items()):
                prepare_actor(transaction, actor, count)
            for table in declared.values():
                prepare_table(transaction, table)
        self._tables.update(declared)

    def remember(self, schemas: Mapping[str, str]) -> None:
        """See the port. A fingerprint that is there already keeps its text."""
        if schemas:
            known = sorted(schemas.items())
            self._write("keeping schemas", Call(SQL["add_schemas"], tuple(map(texts, zip(*known, strict=True)))))

    def schemas(self) -> dict[str, str]:
        """See the port."""
        return dict(self._rows("reading schemas", "schemas"))

    def beat(self, beat: Beat) -> Roster:
        """See the port."""
        values = (
            *(text(beat.worker), text(beat.code), integer(beat.contracts), text(beat.actors)),
            *(integer(beat.silence), integer(beat.progress), packing.boolean(beat.leaving), text(beat.left_alone)),
        )
        [[(now,)], _, members, shards] = self._write_again(
            "telling that this worker lives",
            Call(SQL["beat"], values),
            Call(SQL["forget_workers"], (integer(MEMORY_OF_WORKERS),)),
            Call(SQL["members"]),
            Call(SQL["all_standings"]),
        )
        return Roster(now, tuple(map(_Member._make, members)), dict(map(_standing, shards)))

    def depart(self, worker: str) -> None:
        """See the port."""
        self._write_again("telling that this worker is gone", Call(SQL["depart"], (text(worker),)))

    def standings(self, shards: Sequence[ShardName]) -> dict[ShardName, Standing]:
        """See the port."""
        return dict(map(_standing, self._rows("reading who has which shard", "standings", texts(shards))))

    def take(self, shard: ShardName, epoch: int, taker: Taker) -> ShardRow | None:
        """See the port. `StoreMismatch` for a shard that was never prepared.

        Waits for the locks of a transaction that was lost, which the server ends after two seconds (R8, R17).
        """
        name = text(shard)
        values = (
            *(name, integer(epoch), text(taker.owner), integer(taker.contracts), text(taker.why)),
            *(integer(taker.renews), packing.boolean(taker.keeps)),
        )
        calls = [Call(SQL["lock_shard"], (name,)), Call(SQL["take"], values)]
        calls += [Call(SQL[each], (name,)) for each in ("positions", "hands")]
        before, taken, positions, hands = self._write_when_unlocked(f"taking shard {shard}", *calls)
        if not before:
            message = f"shard {shard} does not exist: its actor was never prepared with that many partitions"
            raise StoreMismatch(message)
        if not taken:
            return None
        row = shard_row(taken[0], {source: Position(*at) for source, *at in positions}, hands)
        return row._replace(clean=before[0][0])

    def release(self, shard: ShardName, epoch: int, holder: str, sent: tuple[int, int] | None = None) -> bool:
        """See the port. One statement: of a shard that was lost no row goes."""
        after, until = (0, 0) if sent is None else sent
        values = text(shard), integer(epoch), integer(after), integer(until), text(holder)
        call = Call(SQL["release"], values)
        [released] = self._write(f"releasing shard {shard}", call)
        return bool(released)

    def outbox(self, shard: ShardName, after: int, limit: int) -> list[OutboxRow]:
        """See the port."""
        values = text(shard), integer(after), integer(limit)
        return list(map(OutboxRow._make, self._rows(f"reading the outbox of shard {shard}", "outbox", *values)))

    def timers(self, shard: ShardName, until: Instant) -> list[TimerRow]:
        """See the port."""
        rows = self._rows(f"reading the timers of shard {shard}", "timers_due", text(shard), integer(until))
        return list(map(TimerRow._make, rows))

    def parked_keys(self, shard: ShardName) -> list[ParkedKey]:
        """See the port."""
        rows = self._rows(f"reading the parked keys of shard {shard}", "parked_keys", text(shard))
        return list(map(ParkedKey._make, rows))

    def parked(self, actor: str, key: str, first: int, limit: int) -> list[ParkedRow]:
        """See the port."""
        values = text(actor), text(key), integer(first), integer(limit)
        return list(map(ParkedRow._make, self._rows(f"reading what waits for {actor}/{key}", "parked", *values)))

    def effects(self, shard: ShardName) -> list[EffectRow]:
        """See the port."""
        return list(map(EffectRow._make, self._rows(f"reading the effects of shard {shard}", "effects", text(shard))))

    def letter(self, actor: str, message_id: bytes) -> DeadLetter | None:
        """See the port."""
        rows = self._rows(f"reading a dead letter of {actor}", "letter", text(actor), message_id)
        return next(map(DeadLetter._make, rows), None)

    def asked(self, shards: Sequence[ShardName], limit: int) -> list[Request]:
        """See the port."""
        return list(map(Request._make, self._rows("reading what is asked", "asked", texts(shards), integer(limit))))

    def pauses(self, shard: ShardName) -> list[Pause]:
        """See the port."""
        rows = self._rows(f"reading what is paused in shard {shard}", "pauses_in", text(shard))
        return list(map(Pause._make, rows))

    def dispositions(self, asked: Mapping[str, Sequence[bytes]]) -> dict[str, dict[bytes, str]]:
        """See the port."""
        wanted = {actor: uuids(ids) for actor, ids in asked.items()}
        told = self._for_each(f"looking for messages in the journal of {', '.join(asked)}", "dispositions", wanted)
        return {actor: dict(rows) for actor, rows in told}

    def crashes(self, actor: str, message_ids: Sequence[bytes]) -> dict[bytes, int]:
        """See the port."""
        return dict(self._rows(f"looking for crashes of {actor}", "crashes", text(actor), uuids(message_ids)))

    def states(self, asked: Mapping[str, Sequence[str]]) -> dict[str, list[StateRow]]:
        """See the port. A key that PostgreSQL cannot hold has no state; its message is refused by the commit."""
        wanted = {actor: texts(failures.readable(dict.fromkeys(keys))) for actor, keys in asked.items()}
        told = self._for_each(f"loading states of {', '.join(asked)}", "states", wanted)
        return {actor: list(map(StateRow._make, rows)) for actor, rows in told}

    def commit(self, group: Sequence[ShardChanges]) -> frozenset[ShardName]:
        """See the port."""
        return commit_group(self._session, group, self._tables)

    def reconnect(self) -> None:
        """See the port."""
        self._session.connect()

    def close(self) -> None:
        """See the port. Closing twice is harmless."""
        self._session.close()

    def _for_each(self, doing: str, name: str, wanted: Mapping[str, bytes]) -> Iterable[tuple[str, Rows]]:
        """One question of each actor, all in one round trip."""
        calls = [Call(SQL[name], (text(actor), values)) for actor, values in wanted.items()]
        return zip(wanted, self._session.read(doing, *calls), strict=True)

    def _rows(self, doing: str, name: str, *values: bytes) -> Rows:
        return self._session.read(doing, Call(SQL[name], values))[0]

    def _write(self, doing: str, *calls: Call) -> list[list[tuple[Any, ...]]]:
        try:
            return self._session.write(doing, calls)
        except Refused as error:
            raise failures.translated(error, doing) from error

    def _write_again(self, doing: str, *calls: Call) -> list[list[tuple[Any, ...]]]:
        """A write that its caller repeats anyway: whether a lost one happened is all the same."""
        try:
            return self._write(doing, *calls)
        except CommitUnknown as error:
            raise StoreUnavailable(str(error)) from error

    def _write_when_unlocked(self, doing: str, *calls: Call) -> list[list[tuple[Any, ...]]]:
        """A write that waits for a lock as long as the patience allows; the server lets it wait for less at a time."""
        deadline = time.monotonic() + self._session.setup.patience
        while True:
            try:
                return self._session.write(doing, calls)
            except Refused as error:
                if error.code not in {failures.LOCKED, *failures.AGAIN} or time.monotonic() >= deadline:
                    raise failures.translated(error, doing) from error


def _standing(row: tuple[Any, ...]) -> tuple[ShardName, Standing]:
    return row[0], Standing._make(row[1:])
