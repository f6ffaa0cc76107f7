"""A transaction that breaks off leaves what it had written by then.

R6: a group is committed as a whole, or, of a shard that was lost, not at all.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.store.sqlite.connection import Connection


@contextmanager
def _never_rolled_back(_: Any, connection: Any, doing: str) -> Generator[None]:
    connection._driver.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection._driver.execute("COMMIT")


BUG = Bug(
    __name__,
    rules=("R6",),
    promise=Promise.ONCE,
    within=60,
    changes=(Change(Connection, "transaction", _never_rolled_back),),
)
