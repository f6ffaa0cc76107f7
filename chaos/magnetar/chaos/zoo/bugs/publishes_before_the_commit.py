"""What a handler decided goes to the relay at once, and not when it is durable.

R7, R18: lanes and their counter advance with the commit. What is rolled back would have been said already.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker import turn as turn_module
from magnetar.runtime.worker.turn import Turn


def _eager(handle: Any, turn: Any, now: Any) -> Any:
    wanted = handle(turn, now)
    for handled in turn._hand().parts:
        handled.shard.lane.extend(handled.changes.outbox)
        handled.shard.lane_number = handled.changes.lane
    return wanted


def _without_the_lane(advance: Any, shard: Any, handled: Any) -> None:
    advance(shard, replace(handled, changes=replace(handled.changes, outbox=[])))


BUG = Bug(
    __name__,
    rules=("R7", "R18"),
    promise=Promise.PUBLISHED,
    within=60,
    changes=(Change(Turn, "_handle", _eager), Change(turn_module, "advance", _without_the_lane)),
)
