"""Nobody looks whether the broker is still there: the client will find out by itself.

R32: a consumer that is cut off is made anew after 5 s, the client after 15 s. Left to itself the client takes 30 to
60 s, for it asks each 30 s and gives up at the next time.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Change, Promise
from magnetar.chaos.zoo.cluster.bug import ClusterBug
from magnetar.runtime.worker.ownership import Ownership


def _blind(*_: Any) -> None:
    pass


BUG = ClusterBug(
    __name__,
    rules=("R32",),
    promise=Promise.REPLACED,
    play="Z04",
    caught_by="gap",
    changes=(Change(Ownership, "_watch_connection", _blind), Change(Ownership, "_watch_broker", _blind)),
)
