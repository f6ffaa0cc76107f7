"""Of a lane that is longer than memory only the first window is sent.

R20: the lane in memory is a window over the rows.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.relay import Relay


def _forget(_: Any, relay: Any, shard: Any, now: Any) -> bool:
    shard.lane.partial = False
    return True


BUG = Bug(
    __name__,
    rules=("R20",),
    promise=Promise.PUBLISHED,
    within=400,
    changes=(Change(Relay, "_reload", _forget),),
)
