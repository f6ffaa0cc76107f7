"""A timer that waits behind a failure fires, though what was before it in the tail has cancelled it.

R26: cancelling or scheduling again makes a fired timer a no-op, also in a tail.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.handling import Handling


def _whatever_became_of_it(_: Any, handling: Any, arrival: Any) -> None:
    if handling._waiting.may_go_on(arrival, handling._now):
        handling._attempt(arrival)


BUG = Bug(
    __name__,
    rules=("R26",),
    promise=Promise.ONCE,
    within=60,
    changes=(Change(Handling, "_go_on", _whatever_became_of_it),),
)
