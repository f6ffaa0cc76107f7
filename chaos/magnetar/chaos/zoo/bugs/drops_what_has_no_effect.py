"""A message that changes nothing is acknowledged and leaves no row.

R2: everything delivered has a disposition, or nobody can say what became of it.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.context import Context
from magnetar.runtime.worker.handling import Handling


def _only_effects(run: Any, handling: Any, arrivals: Any, asked: Any) -> Any:
    return run(handling, [arrival for arrival in arrivals if _matters(handling, arrival)], asked)


def _matters(handling: Any, arrival: Any) -> bool:
    if arrival.timer is not None or not handling._shard.houses(arrival.key):
        return True
    state, _ = handling._current(arrival.key)
    context = Context(arrival.key, arrival.message_id, handling._now, arrival.envelope)
    after = handling._call(arrival.message, state, context)
    return bool(after != state or context.sent or context.armed or context.cancelled or context.rows)


BUG = Bug(
    __name__,
    rules=("R2",),
    promise=Promise.NEVER_LOST,
    within=60,
    changes=(Change(Handling, "run", _only_effects),),
    only="nothing acked is lost",
)
