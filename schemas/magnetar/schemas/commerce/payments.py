"""Contracts of actor `payments`: one entity per order id, with all the money that came for it.

What it asks of a provider, where it has one, and what comes of that, is in `charges`.
"""

from __future__ import annotations

import enum
from typing import Annotated

from magnetar.schemas.commerce.charges import NAMESPACE, ChargeStanding, RefundStanding
from magnetar.schemas.contracts import Command, Doc, Event, Key, Money, Record, State, Timer


class PaymentStatus(enum.Enum):
    """Where the payment of an order stands. It never goes back from `paid` to `due`; `closed` is final."""

    __namespace__ = NAMESPACE

    UNKNOWN = "unknown"
    UNCLAIMED = "unclaimed"
    DUE = "due"
    PAID = "paid"
    CLOSED = "closed"


class PaymentOutcome(enum.Enum):
    """What came of one message that a payment was given. A symbol unknown to an older reader is read as `none`."""

    __namespace__ = NAMESPACE

    NONE = "none"
    REQUESTED = "requested"
    REQUESTED_AND_PAID = "requested_and_paid"
    REQUESTED_AND_REFUNDED = "requested_and_refunded"
    REQUESTED_AGAIN = "requested_again"
    REQUESTED_DIFFERENTLY = "requested_differently"
    REQUESTED_TOO_LATE = "requested_too_late"
    PAID = "paid"
    CAPTURED_EARLY = "captured_early"
    CAPTURED_AGAIN = "captured_again"
    CAPTURED_DIFFERENTLY = "captured_differently"
    REFUSED_REFERENCE = "refused_reference"
    REFUSED_AMOUNT = "refused_amount"
    REFUNDED_CURRENCY = "refunded_currency"
    REFUNDED_UNDERPAID = "refunded_underpaid"
    REFUNDED_OVERPAID = "refunded_overpaid"
    REFUNDED_DOUBLE = "refunded_double"
    REFUNDED_TOO_LATE = "refunded_too_late"
    REFUNDED_TOO_MANY = "refunded_too_many"
    REFUNDED_UNCLAIMED = "refunded_unclaimed"
    FAILURE_NOTED = "failure_noted"
    FAILURE_TOO_LATE = "failure_too_late"
    CLOSED = "closed"
    CLOSED_AND_REFUNDED = "closed_and_refunded"
    CLOSED_AGAIN = "closed_again"
    TIMER_TOO_LATE = "timer_too_late"
    CHARGE_REFUSED = "charge_refused"
    CHARGE_CANCELLED = "charge_cancelled"
    CHARGE_UNKNOWN = "charge_unknown"
    CHARGE_LOOKED_UP = "charge_looked_up"
    CHARGE_NOT_FOUND = "charge_not_found"
    CHARGE_CANCELLED_AGAIN = "charge_cancelled_again"
    CHARGE_DECIDED = "charge_decided"
    GIVEN_BACK = "given_back"
    REFUND_REFUSED = "refund_refused"
    REFUND_UNKNOWN = "refund_unknown"
    REFUND_ASKED_AGAIN = "refund_asked_again"
    REFUND_DECIDED = "refund_decided"


class CaptureFate(enum.Enum):
    """What became of the money of one capture."""

    __namespace__ = NAMESPACE

    HELD = "held"
    ACCEPTED = "accepted"
    REFUNDED = "refunded"


class RequestPayment(Command):
    """An order was placed: this much is due."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("of which order")]
    due: Annotated[Money, Doc("what is due, exactly")]


class ClosePayment(Command):
    """The order has ended without a sale: whatever was captured for it, now or later, goes back."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("of which order")]


class Capture(Command):
    """The provider says that it has taken this money from the customer (a callback, perhaps late or repeated)."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("for which order")]
    reference: Annotated[str, Doc("the provider's name for this capture, 1 to 128 printable characters")]
    amount: Annotated[Money, Doc("what was taken")]


class CaptureFailed(Command):
    """The provider says that a try to take money has failed (a callback, perhaps late or repeated)."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("for which order")]
    reference: Annotated[str, Doc("the provider's name for this try")]
    reason: Annotated[str, Doc("the provider's words, for the journal only")]


class PaymentReceived(Event):
    """Exactly what was due has been captured. Stated once for an order."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("for which order")]
    reference: Annotated[str, Doc("the provider's name for the capture")]
    amount: Annotated[Money, Doc("what was taken")]


class RefundRequested(Event):
    """This capture has to go back whole. Stated once for a capture, whose reference makes a retry harmless."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("of which order")]
    reference: Annotated[str, Doc("the provider's name for the capture")]
    amount: Annotated[Money, Doc("what was taken and goes back")]
    outcome: Annotated[PaymentOutcome, Doc("why: the outcome that asked for it")]


class Unclaimed(Timer):
    """Money came for an order that nobody has placed in time."""

    __namespace__ = NAMESPACE


class TakenCapture(Record):
    """One capture and what became of it."""

    __namespace__ = NAMESPACE

    reference: Annotated[str, Doc("the provider's name for it")]
    amount: Annotated[Money, Doc("what was taken")]
    fate: Annotated[CaptureFate, Doc("held until the order is known, accepted, or sent back")]
    refund: Annotated[RefundStanding, Doc("what the provider, where there is one, made of sending it back")] = (
        RefundStanding.NONE
    )
    refund_key: Annotated[str, Doc("under which the provider was asked to give it back; empty: it was not")] = ""


class Payment(State):
    """The payment of one order. At most one capture is accepted; every other one is held or goes back whole."""

    __namespace__ = NAMESPACE

    status: Annotated[PaymentStatus, Doc("where it stands")] = PaymentStatus.UNKNOWN
    outcome: Annotated[PaymentOutcome, Doc("what came of the last message")] = PaymentOutcome.NONE
    due: Annotated[Money | None, Doc("what the order costs; null until it is placed")] = None
    captures: Annotated[
        tuple[TakenCapture, ...], Doc("every capture that is remembered, at most 100, in order of arrival")
    ] = ()
    charge: Annotated[ChargeStanding, Doc("what the provider, where there is one, made of charging the order")] = (
        ChargeStanding.NONE
    )
    charge_key: Annotated[str, Doc("under which the provider was asked to charge; empty: it was not")] = ""
