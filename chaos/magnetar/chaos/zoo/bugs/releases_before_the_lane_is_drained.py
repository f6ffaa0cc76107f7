"""A leaving worker marks a shard clean while rows are unsent, and who finds it clean looks for none.

R15: stop receiving, commit, acknowledge, drain the lane, and then mark it clean; unsent rows stay rows.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.lane import Lane
from magnetar.runtime.worker.ownership import Ownership
from magnetar.runtime.worker.winning import Winning


def _at_once(*_: Any) -> bool:
    return True


def _trusting(load: Any, winning: Any, row: Any) -> Any:
    return Lane(row.lane, row.lane, winning._winner.lane, deleted=row.lane) if row.clean else load(winning, row)


BUG = Bug(
    __name__,
    rules=("R15",),
    promise=Promise.PUBLISHED,
    within=100,
    changes=(Change(Ownership, "_may_go", _at_once), Change(Winning, "_lane", _trusting)),
)
