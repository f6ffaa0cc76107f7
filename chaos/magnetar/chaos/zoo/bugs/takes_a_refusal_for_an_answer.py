"""A refusal counts as a failure though an earlier attempt may have been done.

R29: while an earlier attempt is open or unknown an answer is a success or unknown, and *failed* only where that is
declared final for the key.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.answers import Verdict


def _at_its_word(settles: Any, verdict: Any, _: int) -> bool:
    return bool(settles(verdict, 0))


BUG = Bug(
    __name__,
    rules=("R29",),
    promise=Promise.NO_WRONG_DATA,
    within=200,
    changes=(Change(Verdict, "settles", _at_its_word),),
)
