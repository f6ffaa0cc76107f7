"""Of what one turn takes from a partition the newest is handled first.

R21: in the order of the partition.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.knowing import Knowing


def _newest_first(decode: Any, knowing: Any, batch: Any, *others: Any) -> None:
    decode(knowing, batch, *others)
    batch.arrivals.reverse()


BUG = Bug(
    __name__,
    rules=("R21",),
    promise=Promise.IN_ORDER,
    within=60,
    changes=(Change(Knowing, "_decode", _newest_first),),
    only="per-key order",
)
