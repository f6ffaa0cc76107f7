"""The epoch is moved by whoever takes a shard, and looked at by nobody who commits.

R6: the fence is the epoch; a count of commits alone lets a zombie in while its successor has committed nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.chaos.zoo.fences import epoch_of
from magnetar.runtime.store.sqlite import commit


def _of_today(fenced: Any, connection: Any, changes: Any) -> Any:
    return fenced(connection, replace(changes, epoch=epoch_of(connection, changes.shard)))


BUG = Bug(
    __name__,
    rules=("R6",),
    promise=Promise.NO_FORK,
    within=300,
    changes=(Change(commit, "_fenced", _of_today),),
)
