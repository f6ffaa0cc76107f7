"""What a payment asks of the provider, and what an answer changes: pure functions of the payment.

The provider is asked to charge as soon as something is due, once; to cancel as soon as the charge is needed no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

from magnetar.actors.charging.table import CHARGE_LIFECYCLE, REFUND_LIFECYCLE, ChargeAct
from magnetar.actors.limits import MOST_MONEY, is_currency
from magnetar.schemas import replace
from magnetar.schemas.commerce import (
    AskAgain,
    ChargeCancelled,
    ChargeNotFound,
    ChargeRefused,
    ChargeStanding,
    ChargeUnknown,
    Payment,
    PaymentStatus,
    RefundAgain,
    Refunded,
    RefundRefused,
    RefundStanding,
    RefundUnknown,
    TakenCapture,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.actors.charging.table import ChargeTransition, RefundTransition

ChargeAnswer: TypeAlias = ChargeRefused | ChargeNotFound | ChargeCancelled | ChargeUnknown | AskAgain
RefundAnswer: TypeAlias = Refunded | RefundRefused | RefundUnknown | RefundAgain


def wanted(payment: Payment) -> ChargeAct | None:
    """What the provider is to be asked for, given how the payment stands now."""
    match payment.charge, payment.status:
        case ChargeStanding.NONE, PaymentStatus.DUE if _is_chargeable(payment):
            return ChargeAct.CHARGE
        case ChargeStanding.ASKED, PaymentStatus.PAID | PaymentStatus.CLOSED:
            return ChargeAct.CANCEL
        case _:
            return None


def decide_charge(payment: Payment, answer: ChargeAnswer) -> ChargeTransition:
    """What comes of an answer about the charge."""
    return CHARGE_LIFECYCLE.choose(payment.charge, type(answer), ())


def after_charge(payment: Payment, taken: ChargeTransition) -> Payment:
    """The payment after it."""
    return replace(payment, charge=taken.to or payment.charge, outcome=taken.outcome)


def decide_refund(payment: Payment, answer: RefundAnswer) -> RefundTransition:
    """What comes of an answer about a refund, or of the time to ask again."""
    return REFUND_LIFECYCLE.choose(refund_standing(payment, answer), type(answer), ())


def after_refund(payment: Payment, answer: RefundAnswer, taken: RefundTransition) -> Payment:
    """The payment after it."""
    told = replace(payment, outcome=taken.outcome)
    if taken.to is None or not isinstance(answer, Refunded | RefundRefused):
        return told
    return _marked(told, [answer.reference], taken.to)


def refund_standing(payment: Payment, answer: RefundAnswer) -> RefundStanding:
    """Of the capture that the answer names; of any that is waited for, where it names none."""
    match answer:
        case Refunded(reference=reference) | RefundRefused(reference=reference):
            known = [each.refund for each in payment.captures if each.reference == reference]
            return known[0] if known else RefundStanding.NONE
        case RefundUnknown() | RefundAgain():
            return RefundStanding.ASKED if awaited(payment) else RefundStanding.NONE
        case _:
            assert_never(answer)


def awaited(payment: Payment) -> list[TakenCapture]:
    """The captures that the provider was asked to give back, and has not yet."""
    return [each for each in payment.captures if each.refund is RefundStanding.ASKED]


def waits_for_provider(payment: Payment) -> bool:
    """Whether an answer about the charge or a refund is still to come."""
    return payment.charge in {ChargeStanding.ASKED, ChargeStanding.CANCELLING} or bool(awaited(payment))


def refund_asked(payment: Payment, reference: str, key: str) -> Payment:
    """The payment, which has asked the provider to give a capture back; one that is not remembered changes nothing."""
    captures = tuple(
        replace(each, refund=RefundStanding.ASKED, refund_key=key) if each.reference == reference else each
        for each in payment.captures
    )
    return replace(payment, captures=captures)


def _marked(payment: Payment, references: Iterable[str], standing: RefundStanding) -> Payment:
    named = set(references)
    captures = tuple(replace(each, refund=standing) if each.reference in named else each for each in payment.captures)
    return replace(payment, captures=captures)


def _is_chargeable(payment: Payment) -> bool:
    """Whether what is due can be asked of a provider; a stranger may request anything."""
    due = payment.due
    return due is not None and 0 < due.amount <= MOST_MONEY and is_currency(due.currency)
