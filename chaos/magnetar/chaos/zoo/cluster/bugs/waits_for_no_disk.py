"""A worker's session has `synchronous_commit` off: a commit is answered before it is on the disk.

R10: an acknowledgement follows the durable commit. With the power the last commits of PostgreSQL are gone, and what the
broker was told of them is not.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Change, Promise
from magnetar.chaos.zoo.cluster.bug import ClusterBug
from magnetar.runtime.store.postgres.database import Session

_SETTING = "synchronous_commit"


def _lazy(make: Any, session: Any, setup: Any, settings: Any) -> None:
    make(session, setup, {**settings, _SETTING: "off"} if _SETTING in settings else settings)


BUG = ClusterBug(
    __name__,
    rules=("R10",),
    promise=Promise.NEVER_LOST,
    play="Z02",
    caught_by="durable before acknowledged",
    changes=(Change(Session, "__init__", _lazy),),
)
