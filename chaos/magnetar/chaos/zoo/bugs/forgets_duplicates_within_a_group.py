"""What came twice in one group is handled twice.

R2: the journal cannot know yet what its own group does; duplicates there are dropped in memory.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.knowing import Knowing


def _only_known(_: Any, __: Any, batch: Any, known: set[bytes]) -> None:
    batch.arrivals = [arrival for arrival in batch.arrivals if arrival.message_id not in known]


BUG = Bug(
    __name__,
    rules=("R2",),
    promise=Promise.ONCE,
    within=40,
    changes=(Change(Knowing, "_drop_known", _only_known),),
)
