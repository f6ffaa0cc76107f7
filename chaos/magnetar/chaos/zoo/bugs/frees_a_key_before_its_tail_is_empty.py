"""A key is free as soon as its head is applied; what waits behind it stays where it is.

R22: the key is parked until the commit that empties the tail.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.waiting import Waiting


def _free_at_once(advance: Any, waiting: Any, arrival: Any, now: Any) -> None:
    advance(waiting, arrival, now)
    waiting._keys[arrival.key] = None


BUG = Bug(
    __name__,
    rules=("R22",),
    promise=Promise.NEVER_LOST,
    within=60,
    changes=(Change(Waiting, "advance", _free_at_once),),
)
