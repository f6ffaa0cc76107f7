"""Schemas that a worker meets are kept in its memory, and not in the store.

R30: what is stored stays readable; nobody else could read it.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.store.sqlite.store import SqliteStore


def _keep(_: Any, store: Any, schemas: Any) -> None:
    store.kept = {**getattr(store, "kept", {}), **schemas}


def _kept(found: Any, store: Any) -> dict[str, str]:
    return {**found(store), **getattr(store, "kept", {})}


BUG = Bug(
    __name__,
    rules=("R30",),
    promise=Promise.NO_WRONG_DATA,
    within=20,
    changes=(Change(SqliteStore, "remember", _keep), Change(SqliteStore, "schemas", _kept)),
    only="schema",
)
