"""Whoever comes may write, under whatever epoch and count there is.

R6: a group's transaction begins with the compare-and-set of its shards' rows.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.chaos.zoo.fences import as_it_stands
from magnetar.runtime.store.sqlite import store


def _unfenced(commit: Any, connection: Any, group: Any, tables: Any) -> Any:
    return commit(connection, [as_it_stands(connection, changes) for changes in group], tables)


BUG = Bug(
    __name__,
    rules=("R6",),
    promise=Promise.NO_FORK,
    within=400,
    changes=(Change(store, "commit_group", _unfenced),),
)
