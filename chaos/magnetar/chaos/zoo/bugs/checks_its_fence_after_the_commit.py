"""The group is written, and then it is looked whether the shard was still one's own.

R6: the fence is a row lock at the beginning of the transaction. Afterwards it only tells what has gone wrong.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.chaos.zoo.fences import as_it_stands
from magnetar.runtime.store.sqlite import store


def _late(commit: Any, connection: Any, group: Any, tables: Any) -> Any:
    written = [as_it_stands(connection, changes) for changes in group]
    commit(connection, written, tables)
    return frozenset(mine.shard for mine, found in zip(group, written, strict=True) if mine.epoch != found.epoch)


BUG = Bug(
    __name__,
    rules=("R6",),
    promise=Promise.NO_FORK,
    within=400,
    changes=(Change(store, "commit_group", _late),),
)
