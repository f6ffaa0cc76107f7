"""A timer that fires is handled twice, the second time under another id.

R26: its generation is its message id, and its row leaves in the commit in which it fires.
"""

from __future__ import annotations

from typing import Any

from msgspec import structs

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.identity import derive
from magnetar.runtime.worker.handling import Handling
from magnetar.runtime.worker.knowing import Knowing


def _twice(decode: Any, knowing: Any, batch: Any, *others: Any) -> None:
    decode(knowing, batch, *others)
    fired = [each for each in batch.arrivals if each.timer is not None]
    batch.arrivals += [structs.replace(each, message_id=derive(each.message_id, 1)) for each in fired]


def _armed_before(_: Any, handling: Any, timer: Any) -> Any:
    return handling._shard.timetable.is_armed(timer)


BUG = Bug(
    __name__,
    rules=("R26",),
    promise=Promise.ONCE,
    within=20,
    changes=(Change(Knowing, "_decode", _twice), Change(Handling, "_still_armed", _armed_before)),
)
