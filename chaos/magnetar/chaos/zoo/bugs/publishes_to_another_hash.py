"""Decided messages go to the partition next to that of their key.

R31: the hash is declared, and the same for all. Where they arrive they are sent on once, so that little is seen.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.routing import partition_of
from magnetar.runtime.worker.arrival import REHOMED
from magnetar.runtime.worker.handling import Handling


def _beside(enqueue: Any, handling: Any, topic: Any, key: str, body: bytes, properties: dict[str, str]) -> None:
    enqueue(handling, topic, key, body, properties)
    if REHOMED not in properties:
        count = handling._place.partitions[topic.name]
        outbox = handling._handled.changes.outbox
        outbox[-1] = outbox[-1]._replace(partition=(partition_of(key, count) + 1) % count)


BUG = Bug(
    __name__,
    rules=("R31",),
    promise=Promise.PUBLISHED,
    within=60,
    changes=(Change(Handling, "_enqueue", _beside),),
    only="effects once",
)
