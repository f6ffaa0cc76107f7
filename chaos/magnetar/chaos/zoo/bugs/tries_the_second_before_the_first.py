"""Of what waits behind a head that has failed, the second is taken before the first.

R22: a tail is applied in the order in which it was parked.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from msgspec.structs import replace

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.knowing import Knowing


def _swapped(recall: Any, knowing: Any, batch: Any, limit: int) -> None:
    recall(knowing, batch, limit)
    for at, (one, two) in enumerate(pairwise(list(batch.tails))):
        if one.key == two.key and not one.failures:
            batch.tails[at : at + 2] = [replace(two, ordinal=one.ordinal), replace(one, ordinal=two.ordinal)]
            return


BUG = Bug(
    __name__,
    rules=("R22",),
    promise=Promise.IN_ORDER,
    within=100,
    changes=(Change(Knowing, "_recall", _swapped),),
)
