"""The assignment forgets one shard: nobody wants it, and nobody takes it.

R14: every shard is wanted by exactly one live worker.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker import membership


def _one_less(assign: Any, owners: Any, workers: Any) -> Any:
    wanted = assign(owners, workers)
    return {shard: wanted[shard] for shard in sorted(wanted)[1:]}


BUG = Bug(
    __name__,
    rules=("R14",),
    promise=Promise.REPLACED,
    within=20,
    changes=(Change(membership, "assign", _one_less),),
)
