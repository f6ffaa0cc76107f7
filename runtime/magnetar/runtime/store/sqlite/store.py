"""The store port on one SQLite connection, used by one thread."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from magnetar.runtime.bus.port import Position
from magnetar.runtime.store.effects import EffectRow
from magnetar.runtime.store.parking import DeadLetter, ParkedKey, ParkedRow
from magnetar.runtime.store.port import OutboxRow, StateRow, StoreMismatch, TimerRow
from magnetar.runtime.store.requests import Pause, Request
from magnetar.runtime.store.roster import MEMORY_OF_WORKERS, Roster, Standing
from magnetar.runtime.store.sqlite.commit import commit_group
from magnetar.runtime.store.sqlite.database import SQL
from magnetar.runtime.store.sqlite.failures import said_plainly
from magnetar.runtime.store.sqlite.layout import prepare_actor, prepare_table
from magnetar.runtime.store.sqlite.rows import member_of, shard_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardChanges, ShardName, ShardRow, Taker
    from magnetar.runtime.store.roster import Beat
    from magnetar.runtime.store.sqlite.database import Database
    from magnetar.runtime.table import Table


class SqliteStore:
    """One connection to a database. Every call is one statement or one transaction.

    It waits for locks no longer than the database's `patience`; then `StoreUnavailable`. Not only `commit`, also
    `take`, `release`, `prepare` and `remember` may end in `CommitUnknown`; each may simply be repeated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables: dict[str, Table] = {}
        self._connection = database.connect()

    def now(self) -> Instant:
        """The clock of the place where the data is."""
        return self._database.now()

    def prepare(self, partitions: Mapping[str, int], tables: Iterable[Table]) -> None:
        """See the port. `ValueError` for a table whose names or kinds may not stand in SQL."""
        declared = {table.name: table for table in tables}
        with self._connection.transaction("preparing the store"):
            for actor, count in sorted(partitions.items()):
                prepare_actor(self._connection, actor, count)
            for table in declared.values():
                prepare_table(self._connection, table)
        self._tables.update(declared)

    def remember(self, schemas: Mapping[str, str]) -> None:
        """See the port. A fingerprint that is there already keeps its text."""
        with self._connection.transaction("keeping schemas"):
            self._connection.run(SQL["add_schema"], sorted(schemas.items()))

    def schemas(self) -> dict[str, str]:
        """See the port."""
        with said_plainly("reading schemas"):
            return dict(self._connection.rows(SQL["schemas"]))

    def beat(self, beat: Beat) -> Roster:
        """See the port."""
        now = self.now()
        with self._connection.transaction("telling that this worker lives"):
            self._connection.rows(SQL["beat"], (*beat, now))
            found = list(map(member_of, self._connection.rows(SQL["members"])))
            members = tuple(member for member in found if member.seen >= now - MEMORY_OF_WORKERS)
            if len(members) < len(found):
                self._connection.rows(SQL["forget_workers"], (now - MEMORY_OF_WORKERS,))
            shards = dict(map(_standing, self._connection.rows(SQL["all_standings"])))
        return Roster(now, members, shards)

    def depart(self, worker: str) -> None:
        """See the port."""
        with self._connection.transaction("telling that this worker is gone"):
            self._connection.rows(SQL["depart"], (worker,))

    def standings(self, shards: Sequence[ShardName]) -> dict[ShardName, Standing]:
        """See the port."""
        with said_plainly("reading who has which shard"):
            if len(shards) == 1:  # what a taker asks for each of its claims: a third of the time
                rows = self._connection.rows(SQL["standing"], tuple(shards))
            else:
                rows = self._connection.rows(SQL["standings"], (json.dumps(list(shards)),))
        return dict(map(_standing, rows))

    def take(self, shard: ShardName, epoch: int, taker: Taker) -> ShardRow | None:
        """See the port. `StoreMismatch` for a shard that was never prepared."""
        now = self.now()
        with self._connection.transaction(f"taking shard {shard}"):
            found = self._connection.rows(SQL["shard"], (shard,))
            if not found:
                message = f"shard {shard} does not exist: its actor was never prepared with that many partitions"
                raise StoreMismatch(message)
            taken = self._connection.rows(SQL["take"], (shard, epoch, *taker, now))
            if not taken:
                return None
            positions = self._positions(shard)
            hands = self._connection.rows(SQL["hands"], (shard,))
        return shard_row(taken[0], positions, hands)._replace(clean=shard_row(found[0], positions).clean)

    def _positions(self, shard: ShardName) -> dict[str, Position]:
        rows = self._connection.rows(SQL["positions"], (shard,))
        return {source: Position(ledger, entry, batch) for source, ledger, entry, batch in rows}

    def release(self, shard: ShardName, epoch: int, holder: str, sent: tuple[int, int] | None = None) -> bool:
        """See the port."""
        with self._connection.transaction(f"releasing shard {shard}"):
            released = bool(self._connection.rows(SQL["release"], (shard, epoch, self.now())))
            if released and sent is not None:
                self._connection.run(SQL["remove_outbox"], [(shard, *sent)])
            if released:
                self._connection.rows(SQL["lay_aside"], (shard, holder))
                self._connection.rows(SQL["let_wait"], (shard, holder))
        return released

    def outbox(self, shard: ShardName, after: int, limit: int) -> list[OutboxRow]:
        """See the port."""
        with said_plainly(f"reading the outbox of shard {shard}"):
            return list(map(OutboxRow._make, self._connection.rows(SQL["outbox"], (shard, after, limit))))

    def timers(self, shard: ShardName, until: Instant) -> list[TimerRow]:
        """See the port."""
        with said_plainly(f"reading the timers of shard {shard}"):
            return list(map(TimerRow._make, self._connection.rows(SQL["timers_due"], (shard, until))))

    def parked_keys(self, shard: ShardName) -> list[ParkedKey]:
        """See the port."""
        with said_plainly(f"reading the parked keys of shard {shard}"):
            return list(map(ParkedKey._make, self._connection.rows(SQL["parked_keys"], (shard,))))

    def parked(self, actor: str, key: str, first: int, limit: int) -> list[ParkedRow]:
        """See the port."""
        with said_plainly(f"reading what waits for {actor}/{key}"):
            return list(map(ParkedRow._make, self._connection.rows(SQL["parked"], (actor, key, first, limit))))

    def effects(self, shard: ShardName) -> list[EffectRow]:
        """See the port."""
        with said_plainly(f"reading the effects of shard {shard}"):
            return list(map(EffectRow._make, self._connection.rows(SQL["effects"], (shard,))))

    def letter(self, actor: str, message_id: bytes) -> DeadLetter | None:
        """See the port."""
        with said_plainly(f"reading a dead letter of {actor}"):
            return next(map(DeadLetter._make, self._connection.rows(SQL["letter"], (actor, message_id))), None)

    def asked(self, shards: Sequence[ShardName], limit: int) -> list[Request]:
        """See the port."""
        with said_plainly("reading what is asked"):
            if len(shards) == 1:  # a third of the time, as above
                rows = self._connection.rows(SQL["asked_of"], (*shards, limit))
            else:
                rows = self._connection.rows(SQL["asked"], (json.dumps(list(shards)), limit))
        return list(map(Request._make, rows))

    def pauses(self, shard: ShardName) -> list[Pause]:
        """See the port."""
        with said_plainly(f"reading what is paused in shard {shard}"):
            return list(map(Pause._make, self._connection.rows(SQL["pauses_in"], (shard,))))

    def dispositions(self, asked: Mapping[str, Sequence[bytes]]) -> dict[str, dict[bytes, str]]:
        """See the port."""
        with said_plainly(f"looking for messages in the journal of {', '.join(asked)}"):
            return {
                actor: dict(self._for_each("dispositions", actor, [message_id.hex() for message_id in message_ids]))
                for actor, message_ids in asked.items()
            }

    def crashes(self, actor: str, message_ids: Sequence[bytes]) -> dict[bytes, int]:
        """See the port."""
        with said_plainly(f"looking for crashes of {actor}"):
            return dict(self._for_each("crashes", actor, [message_id.hex() for message_id in message_ids]))

    def states(self, asked: Mapping[str, Sequence[str]]) -> dict[str, list[StateRow]]:
        """See the port."""
        with said_plainly(f"loading states of {', '.join(asked)}"):
            return {
                actor: list(map(StateRow._make, self._for_each("states", actor, keys))) for actor, keys in asked.items()
            }

    def _for_each(self, name: str, actor: str, wanted: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        return self._connection.rows(SQL[name], (actor, json.dumps(list(wanted))))

    def commit(self, group: Sequence[ShardChanges]) -> frozenset[ShardName]:
        """See the port."""
        return commit_group(self._connection, group, self._tables)

    def reconnect(self) -> None:
        """See the port."""
        self.close()
        self._connection = self._database.connect()

    def close(self) -> None:
        """See the port. Closing twice is harmless."""
        self._database.disconnect(self._connection)


def _standing(row: tuple[Any, ...]) -> tuple[ShardName, Standing]:
    return row[0], Standing._make(row[1:])
