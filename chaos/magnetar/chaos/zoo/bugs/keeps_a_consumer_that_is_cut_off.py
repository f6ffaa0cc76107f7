"""A consumer that the broker has closed is waited for, for ever.

R32: it is made anew, by giving the shard up and taking it again.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.ownership import Ownership


def _patient(*_: Any) -> None:
    pass


BUG = Bug(
    __name__,
    rules=("R32",),
    promise=Promise.NEVER_LOST,
    within=60,
    changes=(Change(Ownership, "_watch_connection", _patient),),
)
