"""Committing a group and learning what became of it: fenced (R6), never guessed (R8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.errors import BrokenPromise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.port import Store, Taker
    from magnetar.runtime.worker.handling import Handled
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
    if changes.parking is not None:
        shard.parking.follow(changes.parking)
    if changes.effects is not None:
        shard.errands.follow(changes.effects)
    shard.lane.extend(changes.outbox)
    if changes.sent is not None:
        shard.lane.deleted = changes.sent[1]


def read_back(store: Store, parts: Sequence[Handled], taker: Taker) -> ReadBack:
    """R8: on a new connection bump one's own epoch, which waits for the lost transaction's locks; compare `commits`.

    Raises `StoreUnavailable` at any point; calling again is right, for a bump that happened shows as a moved epoch.
    """
    result = ReadBack([], [], [])
    for handled in parts:
        shard, changes = handled.shard, handled.changes
        row = store.take(shard.name, shard.epoch, taker)
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
