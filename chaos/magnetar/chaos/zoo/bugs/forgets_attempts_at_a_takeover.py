"""Attempts are counted in memory, as a broker counts redeliveries: a new owner begins anew.

R24: the ledger is the store's, so that poison dies after exactly its attempts whoever tries it.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker import handling as handling_module
from magnetar.runtime.worker.handling import Handling

_before: WeakKeyDictionary[Any, dict[bytes, int]] = WeakKeyDictionary()
"""By tenure: how many failures a message had when it failed there first."""

_tenure: list[Any] = []


def _in_this_tenure(fail: Any, handling: Any, *arguments: Any) -> Any:
    _tenure[:] = [handling._shard.stopped]
    return fail(handling, *arguments)


def _forgetful(decide: Any, error: Any, failures: int, *arguments: Any) -> Any:
    retry, tiers, message_id, now = arguments
    known = _before.setdefault(_tenure[0], {}).setdefault(message_id, failures - 1)
    return decide(error, failures - known, retry, tiers, message_id, now)


BUG = Bug(
    __name__,
    rules=("R24",),
    promise=Promise.ONCE,
    within=200,
    changes=(
        Change(Handling, "_fail", _in_this_tenure),
        Change(handling_module, "decide", _forgetful),
    ),
    only="attempts",
)
