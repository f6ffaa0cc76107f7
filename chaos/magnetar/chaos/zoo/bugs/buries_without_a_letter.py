"""A dead letter is in the index, and never comes to its topic.

R24: what died is published in the commit that says so, once.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.waiting import Waiting


def _silently(post: Any, waiting: Any, topic: str, *arguments: Any) -> None:
    if topic != waiting._plan.dead_letters:
        post(waiting, topic, *arguments)


BUG = Bug(
    __name__,
    rules=("R24",),
    promise=Promise.NEVER_LOST,
    within=60,
    changes=(Change(Waiting, "_post", _silently),),
)
