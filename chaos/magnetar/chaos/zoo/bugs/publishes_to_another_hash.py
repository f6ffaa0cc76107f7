"""Decided messages go to the partition next to that of their key.

R31: the hash is declared, and the same for all. Where they arrive they are sent on once, so that little is seen.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.routing import partition_of
from magnetar.runtime.worker.decisions import Decisions


def _beside(sent: Any, decisions: Any, arrival: Any, decided: Any, iso: str) -> Any:
    told = sent(decisions, arrival, decided, iso)
    outbox = decisions._posting._changes.outbox
    count = decisions._place.partitions[outbox[-1].topic]
    outbox[-1] = outbox[-1]._replace(partition=(partition_of(outbox[-1].key, count) + 1) % count)
    return told


BUG = Bug(
    __name__,
    rules=("R31",),
    promise=Promise.PUBLISHED,
    within=60,
    changes=(Change(Decisions, "_sent", _beside),),
    only="effects once",
)
