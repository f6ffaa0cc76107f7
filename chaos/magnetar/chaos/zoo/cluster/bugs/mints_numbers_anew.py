"""The client counts what is sent: whoever opens a producer goes on from the number that the broker has seen last.

R18, R19: a row's number is its own, and goes with it each time it is sent. What was stored, and whose receipt went with
the worker or the connection, is sent again under a number that the broker does not know.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Change, Promise
from magnetar.chaos.zoo.cluster.bug import ClusterBug
from magnetar.runtime.bus.pulsar import native, producer


def _numberless(_: Any, __: Any, message: Any) -> Any:
    builder = native.new_message()
    builder.content(message.body)
    if message.key is not None:
        builder.partition_key(message.key)
    builder.properties(dict(message.properties))
    return builder.build()


BUG = ClusterBug(
    __name__,
    rules=("R18", "R19"),
    promise=Promise.PUBLISHED,
    play="Z03",
    caught_by="effects once",
    changes=(Change(producer, "_built", _numberless),),
)
