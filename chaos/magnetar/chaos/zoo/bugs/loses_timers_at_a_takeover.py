"""Timers that came due while nobody owned their shard are looked for no more.

R12, R26: whoever wins a shard loads its timers, and a due one fires.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.store.sqlite.store import SqliteStore


def _only_to_come(timers: Any, store: Any, shard: str, until: int) -> Any:
    return [timer for timer in timers(store, shard, until) if timer.due > store.now()]


BUG = Bug(
    __name__,
    rules=("R12", "R26"),
    promise=Promise.NEVER_LOST,
    within=60,
    changes=(Change(SqliteStore, "timers", _only_to_come),),
)
