"""A worker's clock decides, and not the store's.

R5: `now` is taken from the store's clock, for the workers' differ.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.holdings import Holdings


def _deaf(*_: Any) -> None:
    pass


BUG = Bug(
    __name__,
    rules=("R5",),
    promise=Promise.IN_ORDER,
    within=60,
    changes=(Change(Holdings, "learn_clock", _deaf),),
    only="no fork",
)
