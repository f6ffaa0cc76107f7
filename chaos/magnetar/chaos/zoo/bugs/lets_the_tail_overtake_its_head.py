"""What comes for a key whose head waits for its next attempt is handled at once.

R22: it joins the tail, or it overtakes the one that failed.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.handling import Handling


def _at_once(_: Any, handling: Any, arrival: Any, key: Any) -> None:
    assert key.key == arrival.key, "only what is parked joins a tail"
    handling._attempt(arrival)


BUG = Bug(
    __name__,
    rules=("R22",),
    promise=Promise.IN_ORDER,
    within=60,
    changes=(Change(Handling, "_join", _at_once),),
)
