"""What a payment decides, and what becomes of it: pure functions of (payment, message).

An order is paid by one capture of exactly what is due. Every other capture goes back whole: no part of it, no
difference and no second one is kept. A capture is known by the provider's reference, so a callback that comes twice
is one capture. Nothing goes back twice: a capture's fate changes to `refunded` once, and that asks for the refund.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

from magnetar.actors.limits import MOST_CAPTURES, MOST_MONEY, REFERENCE_LIMIT, is_currency, is_name
from magnetar.actors.paying.table import PAYMENT_LIFECYCLE, PaymentFact, PaymentNote, PaymentTransition
from magnetar.schemas import Money, replace
from magnetar.schemas.commerce import (
    Capture,
    CaptureFailed,
    CaptureFate,
    ClosePayment,
    Payment,
    RequestPayment,
    TakenCapture,
    Unclaimed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

PaymentMessage: TypeAlias = RequestPayment | ClosePayment | Capture | CaptureFailed | Unclaimed


def decide(payment: Payment, message: PaymentMessage) -> PaymentTransition:
    """What comes of a message: always exactly one transition of the table, whatever the message holds."""
    return PAYMENT_LIFECYCLE.choose(payment.status, type(message), facts(payment, message))


def evolve(payment: Payment, message: PaymentMessage, taken: PaymentTransition) -> Payment:
    """The payment after a decision."""
    noted = payment if taken.notes is None else _noted(payment, message, taken.notes)
    return replace(noted, status=taken.to or payment.status, outcome=taken.outcome)


def facts(payment: Payment, message: PaymentMessage) -> frozenset[PaymentFact]:
    """What is true of a message, seen from the payment."""
    match message:
        case Capture():
            return frozenset(_facts_of_capture(payment, message))
        case CaptureFailed(reference=reference):
            return frozenset() if _known(payment, reference) is None else frozenset({PaymentFact.KNOWN})
        case RequestPayment(due=due):
            return frozenset(_facts_of_request(payment, due))
        case ClosePayment() | Unclaimed():
            return frozenset()
        case _:
            assert_never(message)


def accepted(payment: Payment) -> TakenCapture | None:
    """The capture that pays the order, or None."""
    return next((each for each in payment.captures if each.fate is CaptureFate.ACCEPTED), None)


def sent_back(before: Payment, after: Payment) -> list[TakenCapture]:
    """The captures that were not on their way back before, and are after."""
    gone = {each.reference for each in before.captures if each.fate is CaptureFate.REFUNDED}
    return [each for each in after.captures if each.fate is CaptureFate.REFUNDED and each.reference not in gone]


def _known(payment: Payment, reference: str) -> TakenCapture | None:
    return next((each for each in payment.captures if each.reference == reference), None)


def _facts_of_request(payment: Payment, due: Money) -> Iterator[PaymentFact]:
    if payment.due == due:
        yield PaymentFact.SAME_DUE
    if _fitting(payment, due) is not None:
        yield PaymentFact.ONE_FITS


def _facts_of_capture(payment: Payment, capture: Capture) -> Iterator[PaymentFact]:
    if not is_name(capture.reference, REFERENCE_LIMIT):
        yield PaymentFact.BAD_REFERENCE
    if not 0 < capture.amount.amount <= MOST_MONEY or not is_currency(capture.amount.currency):
        yield PaymentFact.BAD_AMOUNT
    known = _known(payment, capture.reference)
    if known is not None:
        yield PaymentFact.KNOWN
        if known.amount == capture.amount:
            yield PaymentFact.REPEATED
    if len(payment.captures) >= MOST_CAPTURES:
        yield PaymentFact.FULL
    if payment.due is not None:
        yield from _misfits(capture.amount, payment.due)


def _misfits(amount: Money, due: Money) -> Iterator[PaymentFact]:
    if amount.currency != due.currency:
        yield PaymentFact.WRONG_CURRENCY
    elif amount.amount < due.amount:
        yield PaymentFact.UNDERPAID
    elif amount.amount > due.amount:
        yield PaymentFact.OVERPAID


def _fitting(payment: Payment, due: Money) -> TakenCapture | None:
    """The first held capture of exactly what is due."""
    return next((each for each in payment.captures if each.fate is CaptureFate.HELD and each.amount == due), None)


def _noted(payment: Payment, message: PaymentMessage, note: PaymentNote) -> Payment:
    match note, message:
        case PaymentNote.DUE, RequestPayment(due=due):
            return replace(payment, due=due)
        case PaymentNote.SETTLE_HELD, RequestPayment(due=due):
            return _settled(replace(payment, due=due), _fitting(payment, due))
        case PaymentNote.REFUND_ALL, _:
            return _settled(payment, None)
        case PaymentNote.HOLD, Capture():
            return _taken(payment, message, CaptureFate.HELD)
        case PaymentNote.ACCEPT, Capture():
            return _taken(payment, message, CaptureFate.ACCEPTED)
        case PaymentNote.REFUND, Capture():
            return _taken(payment, message, CaptureFate.REFUNDED)
        case _:
            text = f"the table notes {note.name} of {type(message).__name__}, which does not say it"
            raise TypeError(text)


def _taken(payment: Payment, capture: Capture, fate: CaptureFate) -> Payment:
    taken = TakenCapture(reference=capture.reference, amount=capture.amount, fate=fate)
    return replace(payment, captures=(*payment.captures, taken))


def _settled(payment: Payment, chosen: TakenCapture | None) -> Payment:
    """`chosen` is accepted, every other capture goes back."""
    captures = tuple(
        replace(each, fate=CaptureFate.ACCEPTED if each is chosen else CaptureFate.REFUNDED)
        for each in payment.captures
    )
    return replace(payment, captures=captures)
