"""States, counters and the lane run ahead of the store.

R7: memory follows the commit. Handled again after a failure, a message would see its own effect.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker import turn as turn_module
from magnetar.runtime.worker.commit import advance
from magnetar.runtime.worker.turn import Turn


def _eager(handle: Any, turn: Any, now: Any) -> Any:
    wanted = handle(turn, now)
    for handled in turn._hand().parts:
        advance(handled.shard, handled)
    return wanted


def _nothing(*_: Any) -> None:
    pass


BUG = Bug(
    __name__,
    rules=("R7",),
    promise=Promise.ONCE,
    within=20,
    changes=(Change(Turn, "_handle", _eager), Change(turn_module, "advance", _nothing)),
)
