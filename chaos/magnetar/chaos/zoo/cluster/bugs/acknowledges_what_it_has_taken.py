"""It acknowledges what it has taken, before anything of it is committed.

R10: an acknowledgement follows its commit. A worker that cannot reach its store takes on, and acknowledges; it lets
go, and the next owner finds that the broker has been told more than the store knows (R11).
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Change, Promise
from magnetar.chaos.zoo.cluster.bug import ClusterBug
from magnetar.runtime.worker.turn import Turn


def _early(know: Any, turn: Any, now: Any) -> Any:
    for batch in turn._hand().batches:
        for feed, deliveries in batch.deliveries:
            feed.source.acknowledge(deliveries[-1].position)
    return know(turn, now)


BUG = ClusterBug(
    __name__,
    rules=("R10",),
    promise=Promise.NEVER_LOST,
    play="Z01",
    caught_by="durable before acknowledged",
    changes=(Change(Turn, "_know", _early),),
)
