"""A commit returns before it is on the disk.

R10: an acknowledgement follows the durable commit. With the power both are gone, and only the message is missed.
R1: the row that owns a shard counts its commits; with the power it counts back.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.store.sqlite import database


def _lazy(keep_durable: Any, connection: Any, setup: Any) -> None:
    keep_durable(connection, setup)
    connection.rows("PRAGMA synchronous = NORMAL")


BUG = Bug(
    __name__,
    rules=("R10", "R1"),
    promise=Promise.NEVER_LOST,
    within=100,
    changes=(Change(database, "_keep_durable", _lazy),),
)
