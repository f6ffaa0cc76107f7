"""A bell is acted on as soon as it is there, whatever the row of its key says.

R23: the row decides, and it says when. Nothing comes of it but a failure too many too early, which only who compares
times can see.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.bells import Bells
from magnetar.runtime.worker.parking import ParkedKeys
from magnetar.runtime.worker.waiting import Waiting


def _is_done(_: Any, __: Any, shard: Any, bell: Any, instant: Any) -> bool:
    shard.parking.ring(bell.key, instant)
    return True


def _ring(ring: Any, parking: Any, key: str, instant: Any) -> Any:
    parked = parking.keys.get(key)
    due = None if parked is None else parked.due
    return ring(parking, key, instant if due is None else max(instant, due))


def _may_go_on(_: Any, waiting: Any, arrival: Any, __: Any) -> bool:
    key = waiting.parked(arrival.key)
    return key is not None and key.first == arrival.ordinal and key.due is not None


BUG = Bug(
    __name__,
    rules=("R23",),
    promise=Promise.IN_ORDER,
    within=60,
    changes=(
        Change(Bells, "_is_done", _is_done),
        Change(ParkedKeys, "ring", _ring),
        Change(Waiting, "may_go_on", _may_go_on),
    ),
    only="tails",
)
