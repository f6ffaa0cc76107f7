"""Committing a group and learning what became of it: fenced (R6), never guessed (R8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.errors import BrokenPromise
from magnetar.runtime.store.requests import What

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.port import Store, Taker
    from magnetar.runtime.store.requests import Answering
    from magnetar.runtime.worker.part import Handled
    from magnetar.runtime.worker.shard import Shard


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What a commit of unknown outcome turned out to be: per part durable, to be sent again, or of a lost shard."""

    durable: list[Handled]
    again: list[Handled]
    lost: list[Shard]


def advance(shard: Shard, handled: Handled) -> None:
    """Memory follows the committed group (R7): counters, states, timers, parked keys, effects, lane."""
    changes = handled.changes
    shard.commits += 1
    shard.lane_number = changes.lane
    shard.floor = changes.floor
    touched = changes.floor // 1_000_000
    for key, (state, version) in handled.states.items():
        entity = shard.entity(key)
        entity.state, entity.version, entity.touched = state, version, touched
        if key not in shard.entities:
            shard.settle(entity)
    for gone in changes.gone:
        shard.timetable.disarm(gone.key, gone.name)
    for timer in changes.armed:
        shard.timetable.arm(timer)
    _follow_parts(shard, handled)
    shard.lane.extend(changes.outbox)
    if changes.sent is not None:
        shard.lane.deleted = changes.sent[1]


def _follow_parts(shard: Shard, handled: Handled) -> None:
    """What most groups have none of: parked keys, effects, what people asked, and care."""
    changes = handled.changes
    if changes.parking is not None:
        shard.parking.follow(changes.parking)
    if changes.effects is not None:
        shard.errands.follow(changes.effects)
    if changes.answering is not None:
        _follow_requests(shard, handled, changes.answering)
    if changes.care is not None:
        shard.custody.follow(changes.care)


def _follow_requests(shard: Shard, handled: Handled, answering: Answering) -> None:
    """What is paused, and who goes on.

    A shard that goes on as a whole was nobody's meanwhile: its timers wait for what came before them (R26).
    """
    for _, type_ in answering.resumed:
        del shard.pauses[type_]
        if not type_:
            shard.since = handled.changes.floor
    for pause in answering.paused:
        shard.pauses[pause.type] = pause
    for key in handled.lifted:
        shard.parking.ring(key, handled.changes.floor)
    if handled.unfinished is not None and handled.unfinished.what == What.REPLAY:  # there was no room for it
        shard.crowded[handled.unfinished.id] = handled.unfinished
    elif handled.unfinished is not None:
        shard.requests.appendleft(handled.unfinished)


def read_back(store: Store, parts: Sequence[Handled], taker: Taker) -> ReadBack:
    """R8: on a new connection bump one's own epoch, which waits for the lost transaction's locks; compare `commits`.

    Raises `StoreUnavailable` at any point; calling again is right, for a bump that happened shows as a moved epoch.
    """
    result = ReadBack([], [], [])
    for handled in parts:
        shard, changes = handled.shard, handled.changes
        row = store.take(shard.name, shard.epoch, taker._replace(keeps=True))
        if row is None:
            result.lost.append(shard)
            continue
        shard.epoch = row.epoch
        if row.commits == changes.commits + 1:
            result.durable.append(handled)
        elif row.commits == changes.commits:
            changes.epoch = row.epoch
            result.again.append(handled)
        else:
            message = f"shard {shard.name}: {row.commits} commits after one group over {changes.commits}"
            raise BrokenPromise(message)
    return result
