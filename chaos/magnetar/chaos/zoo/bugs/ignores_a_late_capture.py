"""Money that comes after the order has ended is taken for a repetition: it is noted, and nothing is done.

R2: what is applied has its effects. The customer has paid for an order that the shop has cancelled, and nobody gives
the money back.
"""

from __future__ import annotations

from typing import Any

from magnetar.actors.paying import actor
from magnetar.actors.paying.table import PaymentTransition
from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.schemas.commerce import Capture, PaymentOutcome, PaymentStatus

REPEATED = PaymentTransition(PaymentOutcome.CAPTURED_AGAIN)


def _too_late(decide: Any, payment: Any, message: Any) -> Any:
    if payment.status is PaymentStatus.CLOSED and isinstance(message, Capture):
        return REPEATED
    return decide(payment, message)


BUG = Bug(
    __name__,
    rules=("R2",),
    promise=Promise.NEVER_LOST,
    within=60,
    changes=(Change(actor, "decide", _too_late),),
)
