"""A group commit: every shard fenced, then all rows of those that passed, table by table (R6).

Rows go in the order of their table's key, so that a group touches as few pages as it can.
"""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING

import apsw

from magnetar.runtime.store.port import VersionConflict
from magnetar.runtime.store.sql.tables import check_row
from magnetar.runtime.store.sqlite.conflict import RowConflict, conflict_in
from magnetar.runtime.store.sqlite.database import SQL
from magnetar.runtime.store.sqlite.failures import content_refused, is_taken
from magnetar.runtime.store.sqlite.layout import insertion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from magnetar.runtime.store.port import AppRow, ShardChanges, ShardName
    from magnetar.runtime.store.sqlite.connection import Connection
    from magnetar.runtime.table import Table

_DOING = "committing a group"
_by_first_two = itemgetter(0, 1)
_by_first_three = itemgetter(0, 1, 2)


def commit_group(
    connection: Connection, group: Sequence[ShardChanges], tables: Mapping[str, Table]
) -> frozenset[ShardName]:
    """Commit the group; returns the refused shards. Raises as `Store.commit` says."""
    assert len({each.shard for each in group}) == len(group), "a group holds a shard at most once"
    for row in chain.from_iterable(each.rows for each in group):
        check_row(row, tables)
    accepted: list[ShardChanges] = []
    try:
        with connection.transaction(_DOING), content_refused(_DOING):
            accepted += [each for each in sorted(group, key=_name) if _fenced(connection, each)]
            _write(connection, accepted, tables)
    except RowConflict as conflict:
        raise conflict_in(connection, conflict.table, accepted) from conflict
    return frozenset(map(_name, group)) - frozenset(map(_name, accepted))


def _name(changes: ShardChanges) -> ShardName:
    return changes.shard


def _fenced(connection: Connection, changes: ShardChanges) -> bool:
    """Lock and advance the shard's row. False: another owner has it (R6)."""
    fence = (changes.shard, changes.epoch, changes.commits, changes.lane, changes.floor)
    if advanced := connection.rows(SQL["fence"], fence):
        assert advanced == [(changes.commits + 1,)], f"shard {changes.shard}: commits stepped to {advanced}"
        return True
    for _, epoch, _, commits, *_ in connection.rows(SQL["shard"], (changes.shard,)):
        if epoch == changes.epoch:
            raise VersionConflict(changes.shard, f"shards: {commits} commits, this worker knows {changes.commits}")
    return False


def _write(connection: Connection, accepted: Sequence[ShardChanges], tables: Mapping[str, Table]) -> None:
    """All rows of the accepted shards."""
    _write_states(connection, accepted)  # before the journal, whose rows point to them
    _write_journal(connection, accepted)
    _write_lane(connection, accepted)
    _write_timers(connection, accepted)
    _write_own_rows(connection, [row for each in accepted for row in each.rows], tables)
    positions = [(each.shard, source, *at) for each in accepted for source, at in each.positions.items()]
    _run(connection, "set_position", positions)


def _run(connection: Connection, name: str, rows: Sequence[tuple[object, ...]]) -> int:
    """Run the named statement for every row; returns how many rows of the table it changed."""
    return connection.run(SQL[name], rows) if rows else 0


def _add(connection: Connection, name: str, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows that must be new."""
    try:
        added = _run(connection, name, rows)
    except apsw.ConstraintError as error:
        if is_taken(error):
            raise RowConflict(table) from error
        raise
    assert added == len(rows), f"{table}: {added} of {len(rows)} rows inserted"


def _all_or_conflict(changed: int, wanted: int, table: str) -> None:
    if changed != wanted:
        raise RowConflict(table)


def _write_journal(connection: Connection, accepted: Sequence[ShardChanges]) -> None:
    rows = sorted(chain.from_iterable(each.journal for each in accepted), key=_by_first_two)
    _add(connection, "add_journal", "journal", rows)


def _write_states(connection: Connection, accepted: Sequence[ShardChanges]) -> None:
    """Compare-and-set on the version (R3)."""
    writes = list(chain.from_iterable(each.states for each in accepted))
    new = sorted((write.row for write in writes if write.over == 0), key=_by_first_two)
    _add(connection, "add_state", "states", new)
    changed = sorted(((*write.row, write.over) for write in writes if write.over != 0), key=_by_first_two)
    _all_or_conflict(_run(connection, "change_state", changed), len(changed), "states")


def _write_lane(connection: Connection, accepted: Sequence[ShardChanges]) -> None:
    """A bounded range, because an open one would walk over everything deleted before."""
    _run(connection, "remove_outbox", [(each.shard, *each.sent) for each in accepted if each.sent is not None])
    _add(connection, "add_outbox", "outbox", list(chain.from_iterable(each.outbox for each in accepted)))


def _write_timers(connection: Connection, accepted: Sequence[ShardChanges]) -> None:
    """Gone ones first, so that a timer may be cancelled and armed anew in one group."""
    gone = list(chain.from_iterable(each.gone for each in accepted))
    _run(connection, "cancel_timer", [each[:3] for each in gone if not each.must_exist])
    fired = [each[:4] for each in gone if each.must_exist]
    _all_or_conflict(_run(connection, "fire_timer", fired), len(fired), "timers")
    armed = sorted(chain.from_iterable(each.armed for each in accepted), key=_by_first_three)
    _run(connection, "arm_timer", armed)


def _write_own_rows(connection: Connection, rows: Iterable[AppRow], tables: Mapping[str, Table]) -> None:
    by_table: dict[str, list[tuple[object, ...]]] = {}
    for row in rows:
        by_table.setdefault(row.table, []).append((row.message_id, row.ordinal, row.shard, *row.values))
    for name, values in sorted(by_table.items()):
        values.sort(key=_by_first_two)
        connection.run(insertion(tables[name]), values)
