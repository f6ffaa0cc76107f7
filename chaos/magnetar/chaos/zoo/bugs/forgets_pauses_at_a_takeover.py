"""Whoever takes a shard does not look at what a person has paused in it.

R12, R27: a pause is a row of the shard, and is loaded with it.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.store.sqlite.store import SqliteStore


def _nothing(_: Any, store: Any, shard: Any) -> Any:
    return []


BUG = Bug(
    __name__,
    rules=("R12", "R27"),
    promise=Promise.IN_ORDER,
    within=300,
    changes=(Change(SqliteStore, "pauses", _nothing),),
)
