"""Whoever takes a shard does not look at what is parked in it.

R12, R22: parked keys are loaded in or after the transaction that wins the shard; else what comes next overtakes them.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.parking import ParkedKeys


def _nothing(_: Any, parking: Any, keys: Any) -> None:
    assert not parking.keys, f"a shard that is taken knows nothing yet of {keys}"


BUG = Bug(
    __name__,
    rules=("R12", "R22"),
    promise=Promise.IN_ORDER,
    within=100,
    changes=(Change(ParkedKeys, "load", _nothing),),
)
