"""Attempts are counted in memory: the store hears of an effect again when it is done.

R29: each attempt is committed before its call, else the next owner takes an effect for never tried.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.effects import Effects


def _in_memory(begin: Any, effects: Any, line: Any, shard: Any, *rest: Any) -> None:
    begin(effects, line, shard, *rest)
    row, _ = shard.errands.moves.pop()
    shard.errands.rows[row.effect_id] = row
    shard.errands.to_call.append(row)


BUG = Bug(
    __name__,
    rules=("R29",),
    promise=Promise.ONCE,
    within=20,
    changes=(Change(Effects, "_begin", _in_memory),),
)
