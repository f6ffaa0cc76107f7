"""Crashes are counted by the worker that finds them out, which is a new one each time.

R24: the ledger is the store's, so that what ends each of its workers dies after exactly its crashes.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.care import Care


def _from_one(charge: Any, care: Any, group: Any, *others: Any) -> None:
    charge(care, group, *others)
    for part in group.parts:
        mine = part.changes.care
        mine.held = [hand._replace(crashes=min(hand.crashes, 1)) for hand in mine.held]
        mine.crashes.clear()


BUG = Bug(
    __name__,
    rules=("R24",),
    promise=Promise.POISON,
    within=400,
    changes=(Change(Care, "charge", _from_one),),
)
