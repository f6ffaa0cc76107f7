"""Each message of a group is journalled at the position of the last one.

R2: the row says which message it is of, so that one finds it again.
"""

from __future__ import annotations

from typing import Any

from msgspec import structs

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.knowing import Knowing


def _at_the_last(decode: Any, knowing: Any, batch: Any, *others: Any) -> None:
    decode(knowing, batch, *others)
    last = {each.envelope.source: each.at for each in batch.arrivals}
    batch.arrivals = [structs.replace(each, at=last[each.envelope.source]) for each in batch.arrivals]


BUG = Bug(
    __name__,
    rules=("R2",),
    promise=Promise.NEVER_LOST,
    within=60,
    changes=(Change(Knowing, "_decode", _at_the_last),),
    only="nothing from nowhere",
)
