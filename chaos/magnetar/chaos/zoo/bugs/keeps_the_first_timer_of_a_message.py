"""Of the timers that a handler schedules only the first is armed.

R26: each name is a timer of its own. Replay runs the same `Context` and does not see it; what is never woken does.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.context import Context


def _first(schedule: Any, context: Any, timer: Any, **when: Any) -> None:
    if not context.armed:
        schedule(context, timer, **when)


BUG = Bug(
    __name__,
    rules=("R26",),
    promise=Promise.NEVER_LOST,
    within=60,
    changes=(Change(Context, "schedule", _first),),
    only="terminal",
)
