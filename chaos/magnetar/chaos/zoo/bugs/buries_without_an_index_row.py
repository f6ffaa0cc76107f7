"""A dead letter is on its topic and in the journal, and nobody can list it.

R24: its failures are its own, and its index row is in the commit that decides that it is dead (R4: its own record).
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.waiting import Waiting


def _unlisted(bury: Any, waiting: Any, *arguments: Any, **named: Any) -> None:
    bury(waiting, *arguments, **named)
    waiting._changes.parking.dead.pop()


BUG = Bug(
    __name__,
    rules=("R24",),
    promise=Promise.NEVER_LOST,
    within=60,
    changes=(Change(Waiting, "bury", _unlisted),),
    only="dead letters",
)
