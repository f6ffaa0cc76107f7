"""An attempt is called as soon as it begins, while its commit is still on its way, and may be refused.

R29: each attempt is committed before its call.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.effects import Call
from magnetar.runtime.identity import to_text
from magnetar.runtime.worker.bulkhead import Job
from magnetar.runtime.worker.effects import Effects


def _at_once(begin: Any, effects: Any, line: Any, shard: Any, row: Any, *times: int) -> None:
    effect = shard.plan.effects[row.type]
    request = effects._reader.request(shard.plan, effect, row)
    call = Call(to_text(row.effect_id), row.actor, row.key, row.attempts + 1, 1.0, row.correlation_id)
    effects._bulkhead.begin(Job(0, line.dependency, effect.function, request, call))
    begin(effects, line, shard, row, *times)


BUG = Bug(
    __name__,
    rules=("R29",),
    promise=Promise.ONCE,
    within=20,
    changes=(Change(Effects, "_begin", _at_once),),
)
