"""A group commit: every shard fenced, then all rows of those that passed, table by table (R6).

Rows go in the order of their table's key, so that a group touches as few pages as it can.
"""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING

from magnetar.runtime.store.port import VersionConflict
from magnetar.runtime.store.sql.tables import check_row
from magnetar.runtime.store.sqlite.answering import write_answers
from magnetar.runtime.store.sqlite.care import write_care
from magnetar.runtime.store.sqlite.conflict import RowConflict, conflict_in
from magnetar.runtime.store.sqlite.database import SQL
from magnetar.runtime.store.sqlite.effects import write_effects
from magnetar.runtime.store.sqlite.failures import content_refused
from magnetar.runtime.store.sqlite.layout import insertion
from magnetar.runtime.store.sqlite.parking import write_parking
from magnetar.runtime.store.sqlite.writing import add, change, run

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
    if answerings := [each.answering for each in accepted if each.answering is not None]:
        write_answers(connection, answerings)
    if parkings := [each.parking for each in accepted if each.parking is not None]:
        write_parking(connection, parkings)
    if effects := [each.effects for each in accepted if each.effects is not None]:
        write_effects(connection, effects)
    if cares := [(each.shard, each.care) for each in accepted if each.care is not None]:
        write_care(connection, cares)
    _write_own_rows(connection, [row for each in accepted for row in each.rows], tables)
    positions = [(each.shard, source, *at) for each in accepted for source, at in each.positions.items()]
    run(connection, "set_position", positions)


def _write_journal(connection: Connection, accepted: Sequence[ShardChanges]) -> None:
    rows = sorted(chain.from_iterable(each.journal for each in accepted), key=_by_first_two)
    add(connection, "add_journal", "journal", rows)


def _write_states(connection: Connection, accepted: Sequence[ShardChanges]) -> None:
    """Compare-and-set on the version (R3)."""
    writes = list(chain.from_iterable(each.states for each in accepted))
    new = sorted((write.row for write in writes if write.over == 0), key=_by_first_two)
    add(connection, "add_state", "states", new)
    changed = sorted(((*write.row, write.over) for write in writes if write.over != 0), key=_by_first_two)
    change(connection, "change_state", "states", changed)


def _write_lane(connection: Connection, accepted: Sequence[ShardChanges]) -> None:
    """A bounded range, because an open one would walk over everything deleted before."""
    run(connection, "remove_outbox", [(each.shard, *each.sent) for each in accepted if each.sent is not None])
    add(connection, "add_outbox", "outbox", list(chain.from_iterable(each.outbox for each in accepted)))


def _write_timers(connection: Connection, accepted: Sequence[ShardChanges]) -> None:
    """Gone ones first, so that a timer may be cancelled and armed anew in one group."""
    gone = list(chain.from_iterable(each.gone for each in accepted))
    run(connection, "cancel_timer", [each[:3] for each in gone if not each.must_exist])
    fired = [each[:4] for each in gone if each.must_exist]
    change(connection, "fire_timer", "timers", fired)
    armed = sorted(chain.from_iterable(each.armed for each in accepted), key=_by_first_three)
    run(connection, "arm_timer", armed)


def _write_own_rows(connection: Connection, rows: Iterable[AppRow], tables: Mapping[str, Table]) -> None:
    by_table: dict[str, list[tuple[object, ...]]] = {}
    for row in rows:
        by_table.setdefault(row.table, []).append((row.message_id, row.ordinal, row.shard, *row.values))
    for name, values in sorted(by_table.items()):
        values.sort(key=_by_first_two)
        connection.run(insertion(tables[name]), values)
