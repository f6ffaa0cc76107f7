"""What goes alone is in hand when it has been opened, and not before.

R25: what ends its worker while it is decoded is never in hand, so nobody learns what it was.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.store.port import StoreError
from magnetar.runtime.worker.batch import Group
from magnetar.runtime.worker.care import Care, part_of
from magnetar.runtime.worker.commit import advance
from magnetar.runtime.worker.turn import Turn


def _without_it(write: Any, care: Any, group: Any, _: Any, now: int) -> None:
    write(care, group, None, now)


def _anyway(is_due: Any, care: Any, shards: Any, _: Any, now: int) -> Any:
    return is_due(care, shards, None, now)


def _by_now(load: Any, turn: Any, now: int) -> Any:
    group = turn._group
    if group.hand is not None and group.batches[0].shard.custody.in_hand is None:
        mark = Group([])
        changes = part_of(mark, group.batches[0].shard)
        changes.to_care().held.append(group.hand)
        try:
            refused = turn._store.commit([changes])
        except StoreError:
            return turn._abandon(group, "no store", now)
        if not refused:
            advance(group.batches[0].shard, mark.parts[0])
    return load(turn, now)


BUG = Bug(
    __name__,
    rules=("R25",),
    promise=Promise.POISON,
    within=400,
    changes=(Change(Care, "write", _without_it), Change(Care, "is_due", _anyway), Change(Turn, "_load", _by_now)),
)
