"""Whoever takes a shard goes on under the epoch of the owner before: after a thaw there are two.

R12: winning moves the epoch.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.store.sqlite.store import SqliteStore


def _unmoved(take: Any, store: Any, shard: str, epoch: int, taker: Any) -> Any:
    row = take(store, shard, epoch, taker)
    if row is None or row.epoch == 1:
        return row
    store._connection.rows("UPDATE shards SET epoch = epoch - 1 WHERE shard = ?", (shard,))
    return row._replace(epoch=row.epoch - 1)


BUG = Bug(
    __name__,
    rules=("R12",),
    promise=Promise.NO_FORK,
    within=300,
    changes=(Change(SqliteStore, "take", _unmoved),),
)
