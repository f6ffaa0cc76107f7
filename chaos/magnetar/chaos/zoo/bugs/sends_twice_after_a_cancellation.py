"""A handler that cancels a timer and then sends a command sends it twice, under two ids.

R5: one decision is one message. Replay runs the same `Context` and does not see it; who gets it twice does.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.context import Context


def _twice(send: Any, context: Any, command: Any) -> None:
    send(context, command)
    if context.cancelled:
        send(context, command)


BUG = Bug(
    __name__,
    rules=("R5",),
    promise=Promise.ONCE,
    within=100,
    changes=(Change(Context, "send", _twice),),
    only="stock",
)
