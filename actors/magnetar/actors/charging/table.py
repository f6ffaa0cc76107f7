"""The life of an order's charge, and of a capture's refund, at the provider: what comes of every answer.

That money was taken is no row here: it is a capture, and goes the way of a callback (see `magnetar.actors.paying`).
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, TypeAlias

from magnetar.actors.lifecycle import Lifecycle, Transition
from magnetar.schemas.commerce import (
    AskAgain,
    ChargeCancelled,
    ChargeNotFound,
    ChargeRefused,
    ChargeStanding,
    ChargeUnknown,
    PaymentOutcome,
    RefundAgain,
    Refunded,
    RefundRefused,
    RefundStanding,
    RefundUnknown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from magnetar.schemas import Message


class ChargeAct(enum.Enum):
    """What a payment asks of the provider, or of itself for later."""

    CHARGE = "ask the provider to charge"
    CHARGE_AGAIN = "ask it again, with the same key"
    LOOK_UP = "ask it what became of the charge"
    CANCEL = "ask it never to take anything under the charge's key"
    WAIT = "ask again later"
    WAIT_FOR_REFUND = "ask again later for what has not come back"
    REFUND_AGAIN = "ask again, with the same key, for each capture that has not come back"


class NoFact(enum.Enum):
    """Nothing needs to be known of an answer but what it is."""


ChargeTransition: TypeAlias = Transition[ChargeStanding, PaymentOutcome, NoFact, NoFact, ChargeAct]
ChargeLifecycle: TypeAlias = Lifecycle[ChargeStanding, PaymentOutcome, NoFact, NoFact, ChargeAct]
RefundTransition: TypeAlias = Transition[RefundStanding, PaymentOutcome, NoFact, NoFact, ChargeAct]
RefundLifecycle: TypeAlias = Lifecycle[RefundStanding, PaymentOutcome, NoFact, NoFact, ChargeAct]

if TYPE_CHECKING:
    ChargeRow: TypeAlias = Mapping[type[Message], Sequence[ChargeTransition]]
    RefundRow: TypeAlias = Mapping[type[Message], Sequence[RefundTransition]]

_C, _R, _O, _A = ChargeStanding, RefundStanding, PaymentOutcome, ChargeAct


def _then(outcome: PaymentOutcome, *does: ChargeAct, to: ChargeStanding | None = None) -> tuple[ChargeTransition, ...]:
    return (Transition(outcome, to, does=does),)


def _back(outcome: PaymentOutcome, *does: ChargeAct, to: RefundStanding | None = None) -> tuple[RefundTransition, ...]:
    return (Transition(outcome, to, does=does),)


_OPEN: Final[ChargeRow] = {
    ChargeRefused: _then(_O.CHARGE_REFUSED, to=_C.REFUSED),
    ChargeCancelled: _then(_O.CHARGE_CANCELLED, to=_C.CANCELLED),
    ChargeUnknown: _then(_O.CHARGE_UNKNOWN, _A.WAIT),
}
# What is not known is never asked for under another key. As long as the order waits for its money it is looked up.
_ASKED: Final[ChargeRow] = {
    AskAgain: _then(_O.CHARGE_LOOKED_UP, _A.LOOK_UP),
    ChargeNotFound: _then(_O.CHARGE_NOT_FOUND, _A.CHARGE_AGAIN),
}
# Once the order needs it no more, only an answer to the cancellation ends it: a charge that is not found may arrive.
_CANCELLING: Final[ChargeRow] = {
    AskAgain: _then(_O.CHARGE_CANCELLED_AGAIN, _A.CANCEL),
    ChargeNotFound: _then(_O.CHARGE_NOT_FOUND),
}
_DECIDED: Final[ChargeRow] = {
    ChargeRefused: _then(_O.CHARGE_DECIDED),
    ChargeCancelled: _then(_O.CHARGE_DECIDED),
    ChargeUnknown: _then(_O.CHARGE_DECIDED),
    ChargeNotFound: _then(_O.CHARGE_DECIDED),
    AskAgain: _then(_O.TIMER_TOO_LATE),
}

CHARGE_LIFECYCLE: Final[ChargeLifecycle] = Lifecycle(
    "charges",
    ChargeStanding,
    (ChargeRefused, ChargeNotFound, ChargeCancelled, ChargeUnknown, AskAgain),
    {
        (_C.ASKED, _C.CANCELLING): _OPEN,
        (_C.ASKED,): _ASKED,
        (_C.CANCELLING,): _CANCELLING,
        (_C.NONE, _C.TAKEN, _C.REFUSED, _C.CANCELLED): _DECIDED,
    },
)

_REFUND_ASKED: Final[RefundRow] = {
    Refunded: _back(_O.GIVEN_BACK, to=_R.GIVEN_BACK),
    RefundRefused: _back(_O.REFUND_REFUSED, to=_R.REFUSED),
    RefundUnknown: _back(_O.REFUND_UNKNOWN, _A.WAIT_FOR_REFUND),
    RefundAgain: _back(_O.REFUND_ASKED_AGAIN, _A.REFUND_AGAIN),
}
_REFUND_DECIDED: Final[RefundRow] = {
    Refunded: _back(_O.REFUND_DECIDED),
    RefundRefused: _back(_O.REFUND_DECIDED),
    RefundUnknown: _back(_O.REFUND_DECIDED),
    RefundAgain: _back(_O.TIMER_TOO_LATE),
}
# A capture that is not remembered (one of too many) goes back too. Nobody can ask for it again: a person must look.
_REFUND_FORGOTTEN: Final[RefundRow] = {
    Refunded: _back(_O.GIVEN_BACK),
    RefundRefused: _back(_O.REFUND_REFUSED),
    RefundUnknown: _back(_O.REFUND_UNKNOWN),
    RefundAgain: _back(_O.TIMER_TOO_LATE),
}

REFUND_LIFECYCLE: Final[RefundLifecycle] = Lifecycle(
    "refunds",
    RefundStanding,
    (Refunded, RefundRefused, RefundUnknown, RefundAgain),
    {
        (_R.NONE,): _REFUND_FORGOTTEN,
        (_R.ASKED,): _REFUND_ASKED,
        (_R.GIVEN_BACK, _R.REFUSED): _REFUND_DECIDED,
    },
)
