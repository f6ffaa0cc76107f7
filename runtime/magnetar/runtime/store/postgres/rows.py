"""Rows of the port made into calls: a column of every row becomes one array, and a table's rows one statement."""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING

from magnetar.runtime.store.postgres.answering import answering_writes
from magnetar.runtime.store.postgres.care import care_writes
from magnetar.runtime.store.postgres.columns import JOURNAL, call, packed
from magnetar.runtime.store.postgres.connection import Call
from magnetar.runtime.store.postgres.database import SQL
from magnetar.runtime.store.postgres.effects import effect_writes
from magnetar.runtime.store.postgres.layout import insertion
from magnetar.runtime.store.postgres.packing import blobs, column, integers, texts, uuids
from magnetar.runtime.store.postgres.parking import parking_writes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from magnetar.runtime.store.port import AppRow, ShardChanges
    from magnetar.runtime.table import Table

_STATES = (texts, texts, texts, integers, texts, blobs, integers)
_OUTBOX = (texts, integers, texts, integers, texts, blobs, texts)
_TIMERS = (texts, texts, texts, texts, blobs, integers, texts, texts, blobs, texts, texts)
_FENCE = (texts, integers, integers, integers, integers)
_by_key = itemgetter(0, 1)
_by_name = itemgetter(0, 1, 2)


def fence(name: str, group: Sequence[ShardChanges]) -> list[Call]:
    """Lock the shards in the order given, which is that of their names, then advance those that are as we know them."""
    rows = [(each.shard, each.epoch, each.commits, each.lane, each.floor) for each in group]
    values = packed(_FENCE, rows)
    return [Call(SQL["lock_shards"], values[:1]), Call(SQL[name], values)]


def writes(accepted: Sequence[ShardChanges], tables: Mapping[str, Table]) -> list[tuple[str, Call]]:
    """Everything that the group writes, each statement with the name of the table in which it may meet a conflict.

    Rows go in the order of their table's key, so that two groups never wait for each other crosswise.
    """
    answerings = [each.answering for each in accepted if each.answering is not None]
    parkings = [each.parking for each in accepted if each.parking is not None]
    effects = [each.effects for each in accepted if each.effects is not None]
    cares = [(each.shard, each.care) for each in accepted if each.care is not None]
    return [
        *(*_states(accepted), *_journal(accepted), *_lane(accepted), *_timers(accepted)),
        *(answering_writes(answerings) if answerings else ()),
        *(parking_writes(parkings) if parkings else ()),
        *(effect_writes(effects) if effects else ()),
        *(care_writes(cares) if cares else ()),
        *_others(accepted, tables),
    ]


def _states(accepted: Sequence[ShardChanges]) -> Iterator[tuple[str, Call]]:
    """Compare-and-set on the version (R3); before the journal, whose rows point to them."""
    written = list(chain.from_iterable(each.states for each in accepted))
    new = sorted((write.row for write in written if write.over == 0), key=_by_key)
    yield from call("states", "add_states", _STATES, new)
    changed = sorted(((*write.row, write.over) for write in written if write.over != 0), key=_by_key)
    yield from call("states", "change_states", (*_STATES, integers), changed)


def _journal(accepted: Sequence[ShardChanges]) -> Iterator[tuple[str, Call]]:
    rows = sorted(chain.from_iterable(each.journal for each in accepted), key=itemgetter(1, 0))
    yield from call("journal", "add_journal", JOURNAL, rows)


def _lane(accepted: Sequence[ShardChanges]) -> Iterator[tuple[str, Call]]:
    sent = [(each.shard, *each.sent) for each in accepted if each.sent is not None]
    yield from call("outbox", "remove_outbox", (texts, integers, integers), sent)
    yield from call("outbox", "add_outbox", _OUTBOX, list(chain.from_iterable(each.outbox for each in accepted)))


def _timers(accepted: Sequence[ShardChanges]) -> Iterator[tuple[str, Call]]:
    """Gone ones first, so that a timer may be cancelled and armed anew in one group; of one armed twice, the last."""
    gone = sorted(chain.from_iterable(each.gone for each in accepted), key=_by_name)
    yield from call("timers", "cancel_timers", (texts,) * 3, [each[:3] for each in gone if not each.must_exist])
    fired = [each[:4] for each in gone if each.must_exist]
    yield from call("timers", "fire_timers", (texts, texts, texts, blobs), fired)
    armed = {_by_name(timer): timer for each in accepted for timer in each.armed}
    yield from call("timers", "arm_timers", _TIMERS, [armed[name] for name in sorted(armed)])


def _others(accepted: Sequence[ShardChanges], tables: Mapping[str, Table]) -> Iterator[tuple[str, Call]]:
    by_table: dict[str, list[AppRow]] = {}
    for row in chain.from_iterable(each.rows for each in accepted):
        by_table.setdefault(row.table, []).append(row)
    for name, rows in sorted(by_table.items()):
        yield "", Call(insertion(tables[name]), _own_columns(tables[name], rows))
    positions = [(each.shard, source, *at) for each in accepted for source, at in sorted(each.positions.items())]
    yield from call("", "set_positions", (texts, texts, integers, integers, integers), positions)


def _own_columns(table: Table, rows: Sequence[AppRow]) -> tuple[bytes, ...]:
    rows = sorted(rows, key=lambda row: (row.message_id, row.ordinal))
    own = [(row.message_id, row.ordinal, row.shard) for row in rows]
    columns = zip(table.columns, zip(*(row.values for row in rows), strict=True), strict=True)
    return (*packed((uuids, integers, texts), own), *(column(kind, values) for (_, kind, _), values in columns))
