"""What failed is sent again after what had not been sent yet.

R19: none is sent while a lower one has failed and is not yet confirmed; the broker would drop the lower one as known.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.relay import Relay


def _behind(_: Any, relay: Any, outlet: Any, now: Any) -> None:
    outlet.queue.extend(outlet.unconfirmed)
    outlet.unconfirmed.clear()
    outlet.last_sent = 0
    outlet.producer.close()
    outlet.producer = None


BUG = Bug(
    __name__,
    rules=("R19",),
    promise=Promise.PUBLISHED,
    within=300,
    changes=(Change(Relay, "_begin_again", _behind),),
)
