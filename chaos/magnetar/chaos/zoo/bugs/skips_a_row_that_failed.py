"""A send that failed counts as confirmed, and the lane goes on behind it.

R19: on failure it is sent again, from the lowest unconfirmed; nothing is skipped.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.relay import Relay


def _skip(_: Any, relay: Any, shard: Any, destination: Any, outlet: Any, row: Any, receipt: Any) -> None:
    shard.lane.confirm(row.number)


BUG = Bug(
    __name__,
    rules=("R19",),
    promise=Promise.PUBLISHED,
    within=40,
    changes=(Change(Relay, "_fail", _skip),),
)
