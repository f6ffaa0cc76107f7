"""A dead letter is replayed whatever waits for its key.

R22, R27: it may not overtake what waits, nor the letter for which its key holds.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.burying import Letters


def _always(_: Any, letters: Any, *arguments: Any) -> None:
    """Nothing is looked at."""


BUG = Bug(
    __name__,
    rules=("R22", "R27"),
    promise=Promise.IN_ORDER,
    within=300,
    changes=(Change(Letters, "_may_replay", _always),),
)
