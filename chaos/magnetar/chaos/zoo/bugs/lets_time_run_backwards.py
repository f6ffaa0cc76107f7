"""When the store's clock is put back, so is the time that handlers see.

R5: `now` is never below the shard's last.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.handling import Handling


def _unheld(begin: Any, handling: Any, shard: Any, *arguments: Any, **settings: Any) -> None:
    floor, shard.floor = shard.floor, 0
    begin(handling, shard, *arguments, **settings)
    shard.floor = floor


BUG = Bug(
    __name__,
    rules=("R5",),
    promise=Promise.IN_ORDER,
    within=200,
    changes=(Change(Handling, "__init__", _unheld),),
)
