"""An order that is not paid waits for its money for ever, and its goods with it: nobody starts the time-out.

R26: a time-out that is never armed never fires. What one customer has reserved and forgotten, no other can buy.
"""

from __future__ import annotations

from typing import Any

from magnetar.actors.ordering import actor
from magnetar.actors.ordering.table import OrderAct
from magnetar.chaos.zoo.bug import Bug, Change, Promise


def _no_time_out(perform: Any, act: Any, *what: Any) -> None:
    if act is not OrderAct.WAIT_FOR_PAYMENT:
        perform(act, *what)


BUG = Bug(
    __name__,
    rules=("R26",),
    promise=Promise.ONCE,
    within=60,
    changes=(Change(actor, "perform", _no_time_out),),
)
