"""A due timer does not wait for what was published before it was due.

R26: it fires once its shard has applied that, so that a payment in time beats the time-out.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.timers import Timers


def _at_once(_: Any, timers: Any, shard: Any, due: int, instant: int) -> bool:
    return due <= instant and not shard.in_turn


BUG = Bug(
    __name__,
    rules=("R26",),
    promise=Promise.IN_ORDER,
    within=100,
    changes=(Change(Timers, "_may_fire", _at_once),),
    only="timers",
)
