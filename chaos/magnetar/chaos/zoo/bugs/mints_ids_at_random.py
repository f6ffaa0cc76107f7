"""Ids of what a handler decides are new each time.

R5: they derive from the message and an ordinal, so that handling it again gives the same ones.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.context import Context

_noise = count()  # each one once; nothing depends on which


def _new(derived: Any, context: Any) -> bytes:
    context._ordinal += 1000 * next(_noise)
    return bytes(derived(context))


BUG = Bug(
    __name__,
    rules=("R5",),
    promise=Promise.ONCE,
    within=20,
    changes=(Change(Context, "_derived", _new),),
    only="replay",
)
