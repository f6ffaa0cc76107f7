"""A worker tries for every shard that should be its own, whoever has it.

R14: a shard is tried for only if its recorded owner is not live or has released it.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.membership import Membership


def _anybody(*_: Any) -> bool:
    return True


BUG = Bug(
    __name__,
    rules=("R14",),
    promise=Promise.REPLACED,
    within=300,
    changes=(Change(Membership, "is_free", _anybody),),
)
