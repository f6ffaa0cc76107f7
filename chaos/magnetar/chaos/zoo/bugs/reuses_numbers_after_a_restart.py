"""A new owner counts on from the highest number in the outbox, and not from the lane's counter.

R18: a row's number is never used again; the broker would drop the new row as known.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.winning import Winning


def _counting(move_in: Any, winning: Any, claim: Any, row: Any, now: Any) -> None:
    left = winning._store.outbox(row.shard, 0, row.lane + 1)
    move_in(winning, claim, row._replace(lane=left[-1].number if left else 0), now)


BUG = Bug(
    __name__,
    rules=("R18",),
    promise=Promise.PUBLISHED,
    within=20,
    changes=(Change(Winning, "_move_in", _counting),),
)
