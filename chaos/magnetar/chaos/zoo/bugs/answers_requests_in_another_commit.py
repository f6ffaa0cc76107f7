"""What a person asks is done in one commit, and answered in the next.

R27: the answer is in the commit that does it; else it is done again by whoever finds it unanswered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.store.requests import Answering
from magnetar.runtime.store.sqlite import store
from magnetar.runtime.store.sqlite.answering import write_answers

_LATE: dict[int, list[Any]] = {}


def _later(commit: Any, connection: Any, group: Any, tables: Any) -> Any:
    """By the connection: a worker that has died answers nothing more."""
    late = _LATE.pop(id(connection), [])
    unanswered = [each if each.answering is None else replace(each, answering=_silent(each)) for each in group]
    refused = commit(connection, unanswered, tables)
    _LATE[id(connection)] = [each for each in group if each.answering is not None and each.shard not in refused]
    for each in late:
        with connection.transaction("answering"):
            ids = [(answer.id,) for answer in each.answering.answers]
            connection.run("UPDATE requests SET status = 'asked' WHERE id = ?", ids)
            write_answers(connection, [Answering(each.answering.answers)])
    return refused


def _silent(changes: Any) -> Any:
    return replace(changes.answering, answers=[])


BUG = Bug(
    __name__,
    rules=("R27",),
    promise=Promise.ONCE,
    within=200,
    changes=(Change(store, "commit_group", _later),),
    only="requests",
)
