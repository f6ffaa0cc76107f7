"""The life of an order's payment as data: what comes of every message in every status."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, TypeAlias

from magnetar.actors.lifecycle import Lifecycle, Transition
from magnetar.schemas.commerce import (
    Capture,
    CaptureFailed,
    ClosePayment,
    PaymentOutcome,
    PaymentStatus,
    RequestPayment,
    Unclaimed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from magnetar.schemas import Message


class PaymentFact(enum.Enum):
    """What may be true of a message, seen from the payment."""

    BAD_REFERENCE = "bad reference"
    BAD_AMOUNT = "bad amount or currency"
    REPEATED = "reference and amount are known"
    KNOWN = "the reference is known"
    FULL = "too many captures"
    WRONG_CURRENCY = "not the currency that is due"
    UNDERPAID = "less than is due"
    OVERPAID = "more than is due"
    SAME_DUE = "the same is due"
    ONE_FITS = "a held capture is exactly what is due"


class PaymentNote(enum.Enum):
    """What a payment writes down."""

    DUE = "what is due"
    SETTLE_HELD = "what is due; the held capture that fits is accepted, every other one goes back"
    HOLD = "the capture waits for its order"
    ACCEPT = "the capture pays the order"
    REFUND = "the capture goes back"
    REFUND_ALL = "every capture goes back that has not yet"


class PaymentAct(enum.Enum):
    """What a payment tells others, or itself for later."""

    SAY_RECEIVED = "publish PaymentReceived"
    REFUND_THIS = "publish RefundRequested for the capture that came"
    REFUND_KEPT = "publish RefundRequested for each capture that now goes back"
    WAIT_FOR_ORDER = "start the time-out of unclaimed money"
    STOP_WAITING = "drop it"


PaymentTransition: TypeAlias = Transition[PaymentStatus, PaymentOutcome, PaymentFact, PaymentNote, PaymentAct]
PaymentLifecycle: TypeAlias = Lifecycle[PaymentStatus, PaymentOutcome, PaymentFact, PaymentNote, PaymentAct]

if TYPE_CHECKING:
    Row: TypeAlias = Mapping[type[Message], Sequence[PaymentTransition]]

_S, _O, _F, _N, _A = PaymentStatus, PaymentOutcome, PaymentFact, PaymentNote, PaymentAct


def _then(
    outcome: PaymentOutcome,
    *does: PaymentAct,
    to: PaymentStatus | None = None,
    when: PaymentFact | None = None,
    notes: PaymentNote | None = None,
) -> PaymentTransition:
    return Transition(outcome, to, when, notes, does)


def _sent_back(outcome: PaymentOutcome, when: PaymentFact | None = None) -> PaymentTransition:
    return _then(outcome, _A.REFUND_THIS, when=when, notes=_N.REFUND)


# A capture is money: accepted, held or sent back, once. These answer what is no capture, no new one, or one too many.
_NOT_NEW: Final = (
    _then(_O.REFUSED_REFERENCE, when=_F.BAD_REFERENCE),
    _then(_O.REFUSED_AMOUNT, when=_F.BAD_AMOUNT),
    _then(_O.CAPTURED_AGAIN, when=_F.REPEATED),
    _then(_O.CAPTURED_DIFFERENTLY, when=_F.KNOWN),
    _then(_O.REFUNDED_TOO_MANY, _A.REFUND_THIS, when=_F.FULL),
)
_REQUESTED_ALREADY: Final = (_then(_O.REQUESTED_AGAIN, when=_F.SAME_DUE), _then(_O.REQUESTED_DIFFERENTLY))
_TOO_LATE: Final = (_then(_O.TIMER_TOO_LATE),)

# A failed try changes nothing: the customer may try again, and what is captured stays captured.
_EVERY: Final[Row] = {
    CaptureFailed: (_then(_O.FAILURE_TOO_LATE, when=_F.KNOWN), _then(_O.FAILURE_NOTED)),
}

_UNKNOWN: Final[Row] = {
    RequestPayment: (_then(_O.REQUESTED, to=_S.DUE, notes=_N.DUE),),
    ClosePayment: (_then(_O.CLOSED, to=_S.CLOSED),),
    Capture: (*_NOT_NEW, _then(_O.CAPTURED_EARLY, _A.WAIT_FOR_ORDER, to=_S.UNCLAIMED, notes=_N.HOLD)),
    Unclaimed: _TOO_LATE,
}

_UNCLAIMED: Final[Row] = {
    RequestPayment: (
        _then(
            _O.REQUESTED_AND_PAID, _A.STOP_WAITING, _A.SAY_RECEIVED, _A.REFUND_KEPT,
            to=_S.PAID, when=_F.ONE_FITS, notes=_N.SETTLE_HELD,
        ),
        _then(_O.REQUESTED_AND_REFUNDED, _A.STOP_WAITING, _A.REFUND_KEPT, to=_S.DUE, notes=_N.SETTLE_HELD),
    ),
    ClosePayment: (
        _then(_O.CLOSED_AND_REFUNDED, _A.STOP_WAITING, _A.REFUND_KEPT, to=_S.CLOSED, notes=_N.REFUND_ALL),
    ),
    Capture: (*_NOT_NEW, _then(_O.CAPTURED_EARLY, notes=_N.HOLD)),
    Unclaimed: (_then(_O.REFUNDED_UNCLAIMED, _A.REFUND_KEPT, to=_S.UNKNOWN, notes=_N.REFUND_ALL),),
}  # fmt: skip

_DUE: Final[Row] = {
    RequestPayment: _REQUESTED_ALREADY,
    ClosePayment: (_then(_O.CLOSED, to=_S.CLOSED),),
    Capture: (
        *_NOT_NEW,
        _sent_back(_O.REFUNDED_CURRENCY, _F.WRONG_CURRENCY),
        _sent_back(_O.REFUNDED_UNDERPAID, _F.UNDERPAID),
        _sent_back(_O.REFUNDED_OVERPAID, _F.OVERPAID),
        _then(_O.PAID, _A.SAY_RECEIVED, to=_S.PAID, notes=_N.ACCEPT),
    ),
    Unclaimed: _TOO_LATE,
}

_PAID: Final[Row] = {
    RequestPayment: _REQUESTED_ALREADY,
    ClosePayment: (_then(_O.CLOSED_AND_REFUNDED, _A.REFUND_KEPT, to=_S.CLOSED, notes=_N.REFUND_ALL),),
    Capture: (*_NOT_NEW, _sent_back(_O.REFUNDED_DOUBLE)),
    Unclaimed: _TOO_LATE,
}

_CLOSED: Final[Row] = {
    RequestPayment: (_then(_O.REQUESTED_TOO_LATE),),
    ClosePayment: (_then(_O.CLOSED_AGAIN),),
    Capture: (*_NOT_NEW, _sent_back(_O.REFUNDED_TOO_LATE)),
    Unclaimed: _TOO_LATE,
}

PAYMENT_LIFECYCLE: Final[PaymentLifecycle] = Lifecycle(
    "payments",
    PaymentStatus,
    (RequestPayment, ClosePayment, Capture, CaptureFailed, Unclaimed),
    {
        tuple(PaymentStatus): _EVERY,
        (_S.UNKNOWN,): _UNKNOWN,
        (_S.UNCLAIMED,): _UNCLAIMED,
        (_S.DUE,): _DUE,
        (_S.PAID,): _PAID,
        (_S.CLOSED,): _CLOSED,
    },
)
