"""A timer that was cancelled or replaced while it waited for its turn is handled all the same.

R26: a fired timer carries its generation; cancelling or scheduling again makes it a no-op.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.handling import Handling


def _always(*_: Any) -> bool:
    return True


BUG = Bug(
    __name__,
    rules=("R26",),
    promise=Promise.ONCE,
    within=600,
    changes=(Change(Handling, "_still_armed", _always),),
)
