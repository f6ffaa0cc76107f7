"""What has crashed as often as it may is opened once more, to see what it says.

R25: a dead letter of a crash is buried unopened; what kills while it is decoded would kill again.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.care import Care


def _to_see(name: Any, care: Any, batch: Any, now: int) -> None:
    name(care, batch, now)
    batch.opened = True


BUG = Bug(
    __name__,
    rules=("R25",),
    promise=Promise.POISON,
    within=600,
    changes=(Change(Care, "_name", _to_see),),
)
