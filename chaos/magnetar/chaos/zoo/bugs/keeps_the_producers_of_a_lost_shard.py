"""The producers of a shard that is lost stay open, with what is still on its way.

R13: closing a shard means that nothing of it can be sent later.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.relay import Relay


def _open(*_: Any) -> None:
    pass


BUG = Bug(
    __name__,
    rules=("R13",),
    promise=Promise.PUBLISHED,
    within=300,
    changes=(Change(Relay, "close", _open),),
)
