"""The other side is given another idempotency key at each attempt, so what was done already is done again.

R5, R29: the key derives from the message that asked, and is the same in all attempts of all workers.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.identity import derive, id_of, to_text
from magnetar.runtime.worker import effects


def _minted(call: Any, key: str, actor: str, of: str, attempt: int, *rest: Any) -> Any:
    return call(to_text(derive(id_of(key), attempt)), actor, of, attempt, *rest)


BUG = Bug(
    __name__,
    rules=("R5", "R29"),
    promise=Promise.ONCE,
    within=40,
    changes=(Change(effects, "Call", _minted),),
    only="charges",
)
