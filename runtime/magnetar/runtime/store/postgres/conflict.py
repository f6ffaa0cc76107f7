"""Which row made a group fail: looked up after the rollback, when there is time."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from magnetar.runtime.store.port import VersionConflict
from magnetar.runtime.store.postgres.answering import ANSWERING_FINDERS
from magnetar.runtime.store.postgres.connection import Call
from magnetar.runtime.store.postgres.database import SQL
from magnetar.runtime.store.postgres.packing import integers, text, texts, uuids
from magnetar.runtime.store.postgres.parking_conflict import PARKING_FINDERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from magnetar.runtime.store.port import ShardChanges
    from magnetar.runtime.store.postgres.connection import Rows
    from magnetar.runtime.store.postgres.database import Session


class RowConflict(Exception):
    """A row of `table` is not as this worker knows it; the transaction is rolled back."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


def conflict_in(session: Session, table: str, group: Sequence[ShardChanges]) -> VersionConflict:
    """The error for the first row of the group that contradicts the database."""
    ask = _Asking(session, f"looking for the conflict in {table}")
    for changes in group:
        for conflict in _conflicts(ask, table, changes):
            return conflict
    return VersionConflict(group[0].shard, f"{table}: a group of {len(group)} shards writes one row twice")


def _conflicts(ask: _Asking, table: str, changes: ShardChanges) -> Iterator[VersionConflict]:
    if table in _FINDERS:
        yield from _FINDERS[table](ask, changes)
    elif table in PARKING_FINDERS:
        for what in PARKING_FINDERS[table](ask, changes.parking) if changes.parking is not None else ():
            yield VersionConflict(changes.shard, what)
    else:
        for what in ANSWERING_FINDERS[table](ask, changes.answering) if changes.answering is not None else ():
            yield VersionConflict(changes.shard, what)


class _Asking:
    """Questions about the database as it is now."""

    def __init__(self, session: Session, doing: str) -> None:
        self._session = session
        self._doing = doing

    def __call__(self, name: str, *values: bytes) -> Rows:
        return self._session.read(self._doing, Call(SQL[name], values))[0]


def _in_journal(ask: _Asking, changes: ShardChanges) -> Iterator[VersionConflict]:
    for actor in sorted({row.actor for row in changes.journal}):
        rows = [row for row in changes.journal if row.actor == actor]
        known: dict[bytes, str] = dict(ask("dispositions", text(actor), uuids([row.message_id for row in rows])))
        for row in rows:
            if row.message_id in known:
                said = f"is {known[row.message_id]} already"
                what = f"journal: message {row.message_id.hex()} of {row.actor}/{row.key} {said}"
                yield VersionConflict(changes.shard, what)


def _in_states(ask: _Asking, changes: ShardChanges) -> Iterator[VersionConflict]:
    for actor in sorted({write.row.actor for write in changes.states}):
        writes = [write for write in changes.states if write.row.actor == actor]
        found = ask("states", text(actor), texts([write.row.key for write in writes]))
        versions: dict[str, int] = {key: version for _, key, _, version, *_ in found}
        for row, over in writes:
            if (version := versions.get(row.key, 0)) != over:
                what = f"states: {row.actor}/{row.key} is at version {version}, this worker knows {over}"
                yield VersionConflict(changes.shard, what)


def _in_outbox(ask: _Asking, changes: ShardChanges) -> Iterator[VersionConflict]:
    rows = changes.outbox
    used = ask("numbers_used", texts([row.shard for row in rows]), integers([row.number for row in rows]))
    for shard, number in used:
        yield VersionConflict(changes.shard, f"outbox: number {number} of shard {shard} is used already")


def _in_timers(ask: _Asking, changes: ShardChanges) -> Iterator[VersionConflict]:
    fired = [timer for timer in changes.gone if timer.must_exist]
    names = [(timer.actor, timer.key, timer.name) for timer in fired]
    found = ask("generations", *map(texts, zip(*names, strict=True))) if names else []
    armed: dict[tuple[str, str, str], bytes] = {(actor, key, name): known for actor, key, name, known in found}
    for timer, name in zip(fired, names, strict=True):
        known = armed.get(name)
        if known != timer.generation:
            said = known.hex() if known else "not armed"
            what = f"timers: {timer.actor}/{timer.key} {timer.name!r} is {said}, not {timer.generation.hex()}"
            yield VersionConflict(changes.shard, what)


def _in_effects(ask: _Asking, changes: ShardChanges) -> Iterator[VersionConflict]:
    """As the database is after the rollback."""
    effects = changes.effects
    if effects is None:
        return
    for who in effects.touched():
        found = ask("effect_attempts", text(who.actor), who.effect_id)
        if (what := effects.contradiction(who, found[0][0] if found else None)) is not None:
            yield VersionConflict(changes.shard, what)


def _in_crashes(ask: _Asking, changes: ShardChanges) -> Iterator[VersionConflict]:
    for row in () if changes.care is None else changes.care.crashes:
        if row.number in {number for _, _, number, *_ in ask("crashes_of", text(row.actor), row.message_id)}:
            what = f"crashes: number {row.number} of message {row.message_id.hex()} of {row.actor} is known"
            yield VersionConflict(changes.shard, what)


_Finder: TypeAlias = "Callable[[_Asking, ShardChanges], Iterator[VersionConflict]]"
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
