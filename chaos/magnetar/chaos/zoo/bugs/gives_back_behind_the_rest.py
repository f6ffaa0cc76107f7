"""What could not be committed is taken again from its end.

R21: it comes first when the shard goes on, and in its order.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.batch import Batch


def _reversed(_: Any, batch: Any) -> None:
    for feed, deliveries in batch.deliveries:
        feed.returned.extend(reversed(deliveries))
    batch.shard.due.extendleft(reversed(batch.due))
    batch.shard.in_turn = False


BUG = Bug(
    __name__,
    rules=("R21",),
    promise=Promise.IN_ORDER,
    within=400,
    changes=(Change(Batch, "give_back", _reversed),),
)
