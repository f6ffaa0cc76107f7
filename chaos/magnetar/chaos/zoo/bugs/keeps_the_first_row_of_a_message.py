"""Of the rows that a handler records only the first is kept.

R2: all that a message does is in one commit. Replay runs the same `Context` and does not see it; the books do.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.context import Context


def _first(record: Any, context: Any, row: Any) -> None:
    if not context.rows:
        record(context, row)


BUG = Bug(
    __name__,
    rules=("R2",),
    promise=Promise.ONCE,
    within=200,
    changes=(Change(Context, "record", _first),),
    only="money",
)
