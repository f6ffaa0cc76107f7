"""Which row made a group fail: looked up after the rollback, when there is time."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from magnetar.runtime.store.port import VersionConflict
from magnetar.runtime.store.sqlite.answering_conflict import ANSWERING_FINDERS
from magnetar.runtime.store.sqlite.database import SQL
from magnetar.runtime.store.sqlite.parking_conflict import PARKING_FINDERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from magnetar.runtime.store.port import ShardChanges
    from magnetar.runtime.store.sqlite.connection import Connection


class RowConflict(Exception):
    """A row of `table` is not as this worker knows it; the transaction must be rolled back."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


def conflict_in(connection: Connection, table: str, group: Sequence[ShardChanges]) -> VersionConflict:
    """The error for the first row of the group that contradicts the database."""
    with connection.snapshot(f"looking for the conflict in {table}"):
        for changes in group:
            for conflict in _conflicts(connection, table, changes):
                return conflict
    return VersionConflict(group[0].shard, f"{table}: a group of {len(group)} shards writes one row twice")


def _conflicts(connection: Connection, table: str, changes: ShardChanges) -> Iterator[VersionConflict]:
    if table in _FINDERS:
        yield from _FINDERS[table](connection, changes)
    elif table in PARKING_FINDERS:
        for what in PARKING_FINDERS[table](connection, changes.parking) if changes.parking is not None else ():
            yield VersionConflict(changes.shard, what)
    else:
        for what in ANSWERING_FINDERS[table](connection, changes.answering) if changes.answering is not None else ():
            yield VersionConflict(changes.shard, what)


def _in_journal(connection: Connection, changes: ShardChanges) -> Iterator[VersionConflict]:
    for row in changes.journal:
        for (known,) in connection.rows(SQL["disposition"], (row.actor, row.message_id)):
            what = f"journal: message {row.message_id.hex()} of {row.actor}/{row.key} is {known} already"
            yield VersionConflict(changes.shard, what)


def _in_states(connection: Connection, changes: ShardChanges) -> Iterator[VersionConflict]:
    for row, over in changes.states:
        found = connection.rows(SQL["state"], (row.actor, row.key))
        version = found[0][3] if found else 0
        if version != over:
            what = f"states: {row.actor}/{row.key} is at version {version}, this worker knows {over}"
            yield VersionConflict(changes.shard, what)


def _in_outbox(connection: Connection, changes: ShardChanges) -> Iterator[VersionConflict]:
    for row in changes.outbox:
        found = connection.rows(SQL["outbox"], (row.shard, row.number - 1, 1))
        if found and found[0][1] == row.number:
            yield VersionConflict(changes.shard, f"outbox: number {row.number} of shard {row.shard} is used already")


def _in_timers(connection: Connection, changes: ShardChanges) -> Iterator[VersionConflict]:
    for timer in changes.gone:
        found = connection.rows(SQL["timer_generation"], timer[:3])
        if timer.must_exist and found != [(timer.generation,)]:
            known = found[0][0].hex() if found else "not armed"
            what = f"timers: {timer.actor}/{timer.key} {timer.name!r} is {known}, not {timer.generation.hex()}"
            yield VersionConflict(changes.shard, what)


def _in_effects(connection: Connection, changes: ShardChanges) -> Iterator[VersionConflict]:
    """As the database is after the rollback."""
    effects = changes.effects
    if effects is None:
        return
    for who in effects.touched():
        found = connection.rows(SQL["effect_attempts"], who)
        if (what := effects.contradiction(who, found[0][0] if found else None)) is not None:
            yield VersionConflict(changes.shard, what)


def _in_crashes(connection: Connection, changes: ShardChanges) -> Iterator[VersionConflict]:
    for row in () if changes.care is None else changes.care.crashes:
        known = connection.rows(SQL["crashes_of"], (row.actor, row.message_id))
        if row.number in {number for _, _, number, *_ in known}:
            what = f"crashes: number {row.number} of message {row.message_id.hex()} of {row.actor} is known"
            yield VersionConflict(changes.shard, what)


_Finder: TypeAlias = "Callable[[Connection, ShardChanges], Iterator[VersionConflict]]"
_FINDERS: Mapping[str, _Finder] = MappingProxyType(
    {
        "journal": _in_journal,
        "states": _in_states,
        "outbox": _in_outbox,
        "timers": _in_timers,
        "effects": _in_effects,
        "crashes": _in_crashes,
    }
)
