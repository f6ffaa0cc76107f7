"""A worker that lost a shard without anybody taking it goes on standing in its row.

R14: all others respect a live owner, so what is not held must not be kept either.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.ownership import Ownership


def _nothing(*_: Any) -> None:
    pass


BUG = Bug(
    __name__,
    rules=("R14",),
    promise=Promise.REPLACED,
    within=300,
    changes=(Change(Ownership, "_give_back", _nothing),),
)
