"""What a person asks is done whoever owns the shard by now.

R27, R6: a request is executed under the fence, like everything.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.chaos.zoo.fences import as_it_stands
from magnetar.runtime.store.sqlite import store


def _requests_pass(commit: Any, connection: Any, group: Any, tables: Any) -> Any:
    asked = [each if each.answering is None else as_it_stands(connection, each) for each in group]
    return commit(connection, asked, tables)


BUG = Bug(
    __name__,
    rules=("R6", "R27"),
    promise=Promise.NO_FORK,
    within=2600,
    changes=(Change(store, "commit_group", _requests_pass),),
)
