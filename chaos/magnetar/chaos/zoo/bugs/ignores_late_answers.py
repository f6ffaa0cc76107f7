"""When it was told that nobody knows, nobody listens any more: the money was taken, and its owner never hears of it.

R29: a contrary late answer is a new message.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker import effects


def _deaf(*_: Any) -> bool:
    return False


BUG = Bug(
    __name__,
    rules=("R29",),
    promise=Promise.NEVER_LOST,
    within=200,
    changes=(Change(effects, "contradicts", _deaf),),
    only="outcomes",
)
