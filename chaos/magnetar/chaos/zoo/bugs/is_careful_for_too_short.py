"""A shard is careful no more as soon as its last owner's hand was looked at.

R25: until everything that the last owner may have ended of is behind, or it is never in hand.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.care import Care


def _at_once(_: Any, __: Any, shard: Any, *___: Any) -> bool:
    return not shard.custody.found and not shard.custody.charged


BUG = Bug(
    __name__,
    rules=("R25",),
    promise=Promise.POISON,
    within=400,
    changes=(Change(Care, "_is_over", _at_once),),
)
