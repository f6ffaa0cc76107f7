"""A producer's name holds the epoch, so that the broker cannot know what a former owner sent.

R18: application, shard, destination partition, store generation; never the epoch.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.relay import Relay, producer_name


def _anew(begin: Any, relay: Any, shard: Any, destination: Any, outlet: Any, now: Any) -> Any:
    if outlet.opening is None:
        topic, partition = destination
        name = producer_name(relay._wiring.app, shard.name, destination, shard.epoch)
        outlet.opening = relay._bus.produce(topic, partition, name, relay._wiring.topics[topic].codec.schema.text)
    return begin(relay, shard, destination, outlet, now)


BUG = Bug(
    __name__,
    rules=("R18",),
    promise=Promise.PUBLISHED,
    within=60,
    changes=(Change(Relay, "_open", _anew),),
)
