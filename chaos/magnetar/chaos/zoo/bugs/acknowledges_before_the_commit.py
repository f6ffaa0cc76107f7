"""It acknowledges what it has taken, and then commits.

R10: acknowledgements follow the commit. Who dies in between has lost what nobody delivers again.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.turn import Turn


def _early(commit: Any, turn: Any, now: Any) -> Any:
    for batch in turn._hand().batches:
        for feed, deliveries in batch.deliveries:
            feed.source.acknowledge(deliveries[-1].position)
    return commit(turn, now)


BUG = Bug(
    __name__,
    rules=("R10",),
    promise=Promise.NEVER_LOST,
    within=100,
    changes=(Change(Turn, "_commit", _early),),
    only="acknowledgement",
)
