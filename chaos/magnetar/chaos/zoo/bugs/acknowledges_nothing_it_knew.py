"""What the journal knows already is dropped, and left unacknowledged when nothing else came with it.

R2, R10: a delivered message that has a disposition is acknowledged and otherwise ignored, or it comes for ever.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.turn import Turn


def _only_news(acknowledge: Any, turn: Any, batch: Any, committed: Any) -> None:
    if batch.arrivals:
        acknowledge(turn, batch, committed)


BUG = Bug(
    __name__,
    rules=("R2", "R10"),
    promise=Promise.NEVER_LOST,
    within=60,
    changes=(Change(Turn, "_acknowledge", _only_news),),
    only="liveness",
)
