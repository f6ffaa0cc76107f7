"""When the answer to a commit is lost, the same rows are sent again, whatever `commits` says.

R8: an unknown commit is read back.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker import turn as turn_module
from magnetar.runtime.worker.commit import ReadBack


def _again(_: Any, store: Any, parts: Any, taker: Any) -> ReadBack:
    result = ReadBack([], [], [])
    for handled in parts:
        row = store.take(handled.shard.name, handled.shard.epoch, taker)
        if row is None:
            result.lost.append(handled.shard)
            continue
        handled.shard.epoch = handled.changes.epoch = row.epoch
        handled.shard.commits = handled.changes.commits = row.commits
        result.again.append(handled)
    return result


BUG = Bug(
    __name__,
    rules=("R8",),
    promise=Promise.ONCE,
    within=20,
    changes=(Change(turn_module, "read_back", _again),),
)
