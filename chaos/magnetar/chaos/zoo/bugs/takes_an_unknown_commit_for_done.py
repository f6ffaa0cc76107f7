"""When the answer to a commit is lost, it is taken for durable.

R8: an unknown commit is read back.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker import turn as turn_module
from magnetar.runtime.worker.commit import ReadBack


def _done(_: Any, __: Any, parts: Any, owner: str) -> ReadBack:
    return ReadBack(list(parts), [], [])


BUG = Bug(
    __name__,
    rules=("R8",),
    promise=Promise.NEVER_LOST,
    within=40,
    changes=(Change(turn_module, "read_back", _done),),
)
