"""What a group brings for a parked key joins its tail in reverse.

R22: a tail is in the order of its partition. While its key is held for a person nothing of it is applied, and who looks
at what waits sees it before anybody else does.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.waiting import Waiting


def _backwards(finish: Any, waiting: Any) -> None:
    finish(waiting)
    parking = waiting._changes.parking
    if parking is None:
        return
    by_key: dict[str, list[int]] = {}
    for index, row in enumerate(parking.parked):
        by_key.setdefault(row.key, []).append(index)
    for indices in by_key.values():
        rows = [parking.parked[index] for index in indices]
        for index, row, place in zip(indices, rows, reversed(rows), strict=True):
            parking.parked[index] = row._replace(ordinal=place.ordinal)


BUG = Bug(
    __name__,
    rules=("R22",),
    promise=Promise.IN_ORDER,
    within=400,
    changes=(Change(Waiting, "finish", _backwards),),
)
