"""A message in the wrong partition is applied there.

R31: it is sent on to the partition of its key, so that one key has one writer.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.shard import Shard


def _any(*_: Any) -> bool:
    return True


BUG = Bug(
    __name__,
    rules=("R31",),
    promise=Promise.NO_FORK,
    within=100,
    changes=(Change(Shard, "houses", _any),),
)
