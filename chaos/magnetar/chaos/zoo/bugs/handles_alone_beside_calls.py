"""R25: what must go alone goes beside an effect that is called: that may end the worker, and a message is charged."""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.care import Care


def _beside(alone: Any, care: Any, *arguments: Any) -> Any:
    care._holdings.calls = 0
    return alone(care, *arguments)


BUG = Bug(
    __name__,
    rules=("R25",),
    promise=Promise.POISON,
    within=100,
    changes=(Change(Care, "_alone", _beside),),
)
