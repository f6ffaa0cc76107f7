"""What a handler had sent before it raised is sent all the same, and again by the next attempt.

R5: one decision is one message, and who fails has decided nothing.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.posting import Posting


def _never(_: Any, posting: Any, to: int) -> None:
    assert posting._changes.lane >= to, "a lane only grows while a message is handled"


BUG = Bug(
    __name__,
    rules=("R5",),
    promise=Promise.ONCE,
    within=60,
    changes=(Change(Posting, "take_back", _never),),
)
