"""The rows of a commit are published by key, and not as they were decided.

R18, R19: ascending per destination. A row's number is its place in the lane for life; here it is given out anew.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.lane import Lane


def _by_key(extend: Any, lane: Any, rows: Any) -> None:
    decided = list(rows)
    sorted_rows = sorted(decided, key=lambda row: row.key)
    extend(lane, [row._replace(number=place.number) for row, place in zip(sorted_rows, decided, strict=True)])


BUG = Bug(
    __name__,
    rules=("R18", "R19"),
    promise=Promise.PUBLISHED,
    within=100,
    changes=(Change(Lane, "extend", _by_key),),
    only="outbox",
)
