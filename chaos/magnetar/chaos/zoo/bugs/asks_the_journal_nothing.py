"""What comes again is handled again, for nobody asks the journal.

R2: a message has one disposition for each actor.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.knowing import Knowing


def _nothing(_: Any, __: Any, group: Any) -> dict[str, set[bytes]]:
    return {batch.shard.plan.name: set() for batch in group.batches}


BUG = Bug(
    __name__,
    rules=("R2",),
    promise=Promise.ONCE,
    within=20,
    changes=(Change(Knowing, "_known", _nothing),),
)
