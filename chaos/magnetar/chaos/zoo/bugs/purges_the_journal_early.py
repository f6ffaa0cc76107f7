"""Journal rows are deleted after a second, though their messages can still come again.

R4: the journal is kept longer than anything can be redelivered.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.instant import SECOND
from magnetar.runtime.store.sqlite import store

KEPT = SECOND


def _purging(commit: Any, connection: Any, group: Any, tables: Any) -> Any:
    refused = commit(connection, group, tables)
    for changes in group:
        connection.rows("DELETE FROM journal WHERE shard = ? AND now < ?", (changes.shard, changes.floor - KEPT))
    return refused


BUG = Bug(
    __name__,
    rules=("R4",),
    promise=Promise.ONCE,
    within=20,
    changes=(Change(store, "commit_group", _purging),),
)
