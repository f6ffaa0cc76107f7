"""Who takes a shard does not look at what its keys have asked of the outside: nobody asks again, nobody is told.

R29: the effect's row stays until its outcome is committed, and the next owner goes on with it.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.errands import Errands


def _nothing(*_: Any) -> None:
    """Nothing is known."""


BUG = Bug(
    __name__,
    rules=("R29",),
    promise=Promise.NEVER_LOST,
    within=40,
    changes=(Change(Errands, "load", _nothing),),
)
