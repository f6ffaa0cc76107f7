"""Taking a shard is no compare-and-set, so one's own loss is never noticed in reading back.

R8, R12: the epoch that was read is the one that is replaced, or another owner's commits are taken for one's own.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.store.sqlite.store import SqliteStore


def _always(take: Any, store: Any, shard: str, epoch: int, taker: Any) -> Any:
    return take(store, shard, store.standings([shard])[shard].epoch, taker)


BUG = Bug(
    __name__,
    rules=("R8", "R12"),
    promise=Promise.NO_FORK,
    within=2000,
    changes=(Change(SqliteStore, "take", _always),),
)
