"""A head that has failed is tried again when its bell rings, and only then.

R23: a bell may be acknowledged by a worker that dies before the attempt is committed; then the row's due time rings it.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.parking import ParkedKeys


def _only_bells(ring_by_row: Any, parking: Any, instant: Any) -> Any:
    parking.heap = [each for each in parking.heap if each[1] in parking.keys and not parking.keys[each[1]].failures]
    return ring_by_row(parking, instant)


BUG = Bug(
    __name__,
    rules=("R23",),
    promise=Promise.NEVER_LOST,
    within=400,
    changes=(Change(ParkedKeys, "ring_by_row", _only_bells),),
)
