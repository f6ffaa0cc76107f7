"""A worker that has just said that it lives commits whatever the epoch is: who lives, owns.

R6, R13: heartbeats are hints; who has the shard is decided by broker and fence.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.chaos.zoo.fences import as_it_stands
from magnetar.runtime.store.sqlite.store import SqliteStore


def _noted(beat: Any, store: Any, said: Any) -> Any:
    roster = beat(store, said)
    store.lease_until = roster.now + 1_000_000
    return roster


def _trusted(commit: Any, store: Any, group: Any) -> Any:
    if store.now() < getattr(store, "lease_until", 0):
        group = [as_it_stands(store._connection, changes) for changes in group]
    return commit(store, group)


BUG = Bug(
    __name__,
    rules=("R6", "R13"),
    promise=Promise.NO_FORK,
    within=300,
    changes=(Change(SqliteStore, "beat", _noted), Change(SqliteStore, "commit", _trusted)),
)
