"""A key that a person lets go on is free at once; what waits for it is left where it is.

R22, R27: a key is parked until the commit that empties its tail.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.waiting import Waiting


def _free(_: Any, waiting: Any, key: Any, now: Any) -> None:
    waiting._keys[key] = None


BUG = Bug(
    __name__,
    rules=("R22", "R27"),
    promise=Promise.NEVER_LOST,
    within=100,
    changes=(Change(Waiting, "lift", _free),),
)
