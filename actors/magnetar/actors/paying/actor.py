"""Actor `payments`: it keeps what the rules decide, and tells the order, the world, and a provider if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

from magnetar.actors.limits import REFERENCE_LIMIT
from magnetar.actors.paying.rules import PaymentMessage, accepted, decide, evolve, sent_back
from magnetar.actors.paying.table import PaymentAct
from magnetar.actors.steps import PaymentStep
from magnetar.runtime import Actor, Context, Policy
from magnetar.schemas.commerce import (
    Capture,
    CaptureFailed,
    Charged,
    ClosePayment,
    Payment,
    PaymentReceived,
    Refunded,
    RefundRefused,
    RefundRequested,
    RequestPayment,
    Unclaimed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.actors.charging import Charging
    from magnetar.actors.settings import ShopSettings
    from magnetar.schemas import Message, Money

    Take: TypeAlias = Callable[[Payment, PaymentMessage, Context], Payment]


def make_payments(settings: ShopSettings, charging: Charging | None = None) -> Actor[Payment]:
    """The actor, with this time-out. Every message goes the same way: decide, evolve, tell, ask.

    `charging`: the provider that it asks; None: it asks nobody, and waits for what it is told.
    """
    policy = Policy(partitions=settings.partitions)
    publishes = (PaymentReceived, RefundRequested)
    actor = Actor("payments", Payment, publishes=publishes, rows=[PaymentStep], policy=policy)

    def apply(payment: Payment, message: PaymentMessage, context: Context) -> Payment:
        taken = decide(payment, message)
        after = evolve(payment, message, taken)
        for act in taken.does:
            _perform(act, payment, after, message, context, settings)
        return after if charging is None else charging.follow(after, context)

    def take(payment: Payment, message: PaymentMessage, context: Context) -> Payment:
        after = apply(payment, message, context)
        _note(payment, after, message, context)
        return after

    _hear_orders(actor, take)
    _hear_provider_and_time(actor, take)
    if charging is not None:
        charging.hear(actor, apply, _note)
    return actor


def _hear_orders(actor: Actor[Payment], take: Take) -> None:
    @actor.handles
    def request_payment(payment: Payment, message: RequestPayment, context: Context) -> Payment:
        return take(payment, message, context)

    @actor.handles
    def close_payment(payment: Payment, message: ClosePayment, context: Context) -> Payment:
        return take(payment, message, context)


def _hear_provider_and_time(actor: Actor[Payment], take: Take) -> None:
    @actor.handles
    def capture(payment: Payment, message: Capture, context: Context) -> Payment:
        return take(payment, message, context)

    @actor.handles
    def capture_failed(payment: Payment, message: CaptureFailed, context: Context) -> Payment:
        return take(payment, message, context)

    @actor.handles
    def unclaimed(payment: Payment, message: Unclaimed, context: Context) -> Payment:
        return take(payment, message, context)


def _perform(
    act: PaymentAct,
    before: Payment,
    after: Payment,
    message: PaymentMessage,
    context: Context,
    settings: ShopSettings,
) -> None:
    match act:
        case PaymentAct.SAY_RECEIVED:
            context.publish(_received(after, context.key))
        case PaymentAct.REFUND_THIS:
            assert isinstance(message, Capture), "only a capture can go back"
            context.publish(_refund(after, context.key, message.reference, message.amount))
        case PaymentAct.REFUND_KEPT:
            for each in sent_back(before, after):
                context.publish(_refund(after, context.key, each.reference, each.amount))
        case PaymentAct.WAIT_FOR_ORDER:
            context.schedule(Unclaimed(), after=settings.unclaimed_timeout)
        case PaymentAct.STOP_WAITING:
            context.cancel(Unclaimed)
        case _:
            assert_never(act)


def _received(payment: Payment, order_id: str) -> PaymentReceived:
    capture = accepted(payment)
    assert capture is not None, "a payment that is received has an accepted capture"
    return PaymentReceived(order_id=order_id, reference=capture.reference, amount=capture.amount)


def _refund(payment: Payment, order_id: str, reference: str, amount: Money) -> RefundRequested:
    return RefundRequested(order_id=order_id, reference=reference, amount=amount, outcome=payment.outcome)


def _note(before: Payment, after: Payment, message: Message, context: Context) -> None:
    """The row of the trail."""
    context.record(
        PaymentStep(
            order_id=context.key,
            message=type(message).__name__,
            reference=_reference(message),
            was=before.status,
            outcome=after.outcome,
            became=after.status,
        )
    )


def _reference(message: Message) -> str | None:
    """The capture that a message names, or None."""
    if isinstance(message, Capture | CaptureFailed | Charged | Refunded | RefundRefused):
        return message.reference[:REFERENCE_LIMIT]
    return None
