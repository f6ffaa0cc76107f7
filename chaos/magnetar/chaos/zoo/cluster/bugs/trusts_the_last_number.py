"""The last number that a broker has seen counts as a receipt: rows of the lane up to it are taken for sent.

R19: it is a hint. It is of one destination, while the lane has many; and of what was pushed, perhaps not stored. While
the broker of one destination is out of reach, the others see higher numbers, and whoever takes the shard then leaves
out what still waits for it.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Change, Promise
from magnetar.chaos.zoo.cluster.bug import ClusterBug
from magnetar.runtime.worker.relay import Relay


def _trusting(begin: Any, relay: Any, shard: Any, destination: Any, outlet: Any, now: Any) -> Any:
    opened = begin(relay, shard, destination, outlet, now)
    if opened:
        for each in relay._outlets[shard.name].known.values():
            for row in [row for row in each.queue if row.number <= outlet.producer.last_number]:
                each.queue.remove(row)
                shard.lane.confirm(row.number)
    return opened


BUG = ClusterBug(
    __name__,
    rules=("R19",),
    promise=Promise.PUBLISHED,
    play="Z03",
    caught_by="effects once",
    changes=(Change(Relay, "_open", _trusting),),
)
