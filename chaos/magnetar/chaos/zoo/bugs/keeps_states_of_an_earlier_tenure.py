"""States that were in memory when the shard was lost are there again when it is won again.

R12: everything is loaded when a shard is won; memory of an earlier tenure is never trusted.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.winning import Winning


def _hoarding(move_in: Any, winning: Any, claim: Any, row: Any, now: Any) -> None:
    move_in(winning, claim, row, now)
    shard = winning._holdings.find(row.shard)
    winning.hoard = {row.shard: shard.entities, **getattr(winning, "hoard", {})}
    shard.entities = winning.hoard[row.shard]


BUG = Bug(
    __name__,
    rules=("R12",),
    promise=Promise.NO_FORK,
    within=400,
    changes=(Change(Winning, "_move_in", _hoarding),),
)
