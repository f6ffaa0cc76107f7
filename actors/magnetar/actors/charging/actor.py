"""What actor `payments` does besides, where it has a provider: it asks, and hears what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

from magnetar.actors.charging.calls import Calls, declare
from magnetar.actors.charging.rules import (
    ChargeAnswer,
    RefundAnswer,
    after_charge,
    after_refund,
    awaited,
    decide_charge,
    decide_refund,
    refund_asked,
    wanted,
)
from magnetar.actors.charging.table import ChargeAct
from magnetar.runtime import Actor, Context, Dependency
from magnetar.schemas import replace
from magnetar.schemas.commerce import (
    AskAgain,
    CancelCharge,
    Capture,
    ChargeCancelled,
    Charged,
    ChargeNotFound,
    ChargeOrder,
    ChargeRefused,
    ChargeStanding,
    ChargeUnknown,
    LookUpCharge,
    Payment,
    RefundAgain,
    RefundCapture,
    Refunded,
    RefundRefused,
    RefundRequested,
    RefundUnknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.actors import providing
    from magnetar.schemas import Message

    Apply: TypeAlias = Callable[[Payment, Capture, Context], Payment]
    Note: TypeAlias = Callable[[Payment, Payment, Message, Context], None]
    Hears: TypeAlias = Callable[[Payment, ChargeAnswer | RefundAnswer, Context], Payment]


PROVIDER: Final = Dependency("provider", timeout=35.0)
"""A time-out beyond those of the adapter (see `ProviderSettings.longest`), which gives up by itself."""


@dataclass(frozen=True, slots=True)
class Charging:
    """How a shop asks its provider.

    provider: called from the threads of the bulkhead, at each question: make it return one that is kept.
    dependency: within which limits. again: seconds after which it is asked again what nobody knows.
    """

    provider: Callable[[], providing.Provider]
    dependency: Dependency = PROVIDER
    again: float = 60.0

    def follow(self, payment: Payment, context: Context) -> Payment:
        """Ask the provider for what is wanted now: a charge, its end, and each refund that this message requested."""
        for back in [sent.message for sent in context.sent if isinstance(sent.message, RefundRequested)]:
            capture = RefundCapture(order_id=context.key, reference=back.reference, amount=back.amount)
            payment = refund_asked(payment, back.reference, context.effect(capture))
        act = wanted(payment)
        return payment if act is None else self._perform(act, payment, context)

    def _perform(self, act: ChargeAct, payment: Payment, context: Context) -> Payment:
        """Hand an act to the context; the payment notes what was asked."""
        match act:
            case ChargeAct.CHARGE:
                key = context.effect(_charge(payment, context.key))
                return replace(payment, charge=ChargeStanding.ASKED, charge_key=key)
            case ChargeAct.CANCEL:
                context.cancel(AskAgain)
                context.effect(CancelCharge(charge_key=payment.charge_key))
                return replace(payment, charge=ChargeStanding.CANCELLING)
            case ChargeAct.CHARGE_AGAIN:
                context.effect(_charge(payment, context.key))
            case ChargeAct.LOOK_UP:
                context.effect(LookUpCharge(charge_key=payment.charge_key))
            case ChargeAct.WAIT:
                context.schedule(AskAgain(), after=self.again)
            case ChargeAct.WAIT_FOR_REFUND:
                context.schedule(RefundAgain(), after=self.again)
            case ChargeAct.REFUND_AGAIN:
                _refund_again(payment, context)
            case _:
                assert_never(act)
        return payment

    def hear(self, actor: Actor[Payment], apply: Apply, note: Note) -> None:
        """Declare the effects, and the handlers of what comes of them.

        `apply`: what a callback does, for the provider's own word goes the same way. `note` keeps the trail.
        """
        declare(actor, Calls(self.provider), self.dependency)

        @actor.handles
        def charged(payment: Payment, message: Charged, context: Context) -> Payment:
            context.cancel(AskAgain)
            capture = Capture(order_id=context.key, reference=message.reference, amount=message.amount)
            after = apply(replace(payment, charge=ChargeStanding.TAKEN), capture, context)
            note(payment, after, message, context)
            return after

        def hears(payment: Payment, message: ChargeAnswer | RefundAnswer, context: Context) -> Payment:
            after = self._answered(payment, message, context)
            note(payment, after, message, context)
            return after

        _hear_of_charges(actor, hears)
        _hear_of_refunds(actor, hears)

    def _answered(self, payment: Payment, message: ChargeAnswer | RefundAnswer, context: Context) -> Payment:
        if isinstance(message, ChargeAnswer):
            asked = decide_charge(payment, message)
            after, does = after_charge(payment, asked), asked.does
        else:
            back = decide_refund(payment, message)
            after, does = after_refund(payment, message, back), back.does
        for act in does:
            after = self._perform(act, after, context)
        return after


def _hear_of_charges(actor: Actor[Payment], hears: Hears) -> None:
    @actor.handles
    def charge_refused(payment: Payment, message: ChargeRefused, context: Context) -> Payment:
        return hears(payment, message, context)

    @actor.handles
    def charge_not_found(payment: Payment, message: ChargeNotFound, context: Context) -> Payment:
        return hears(payment, message, context)

    @actor.handles
    def charge_cancelled(payment: Payment, message: ChargeCancelled, context: Context) -> Payment:
        return hears(payment, message, context)

    @actor.handles
    def charge_unknown(payment: Payment, message: ChargeUnknown, context: Context) -> Payment:
        return hears(payment, message, context)

    @actor.handles
    def ask_again(payment: Payment, message: AskAgain, context: Context) -> Payment:
        return hears(payment, message, context)


def _hear_of_refunds(actor: Actor[Payment], hears: Hears) -> None:
    @actor.handles
    def refunded(payment: Payment, message: Refunded, context: Context) -> Payment:
        return hears(payment, message, context)

    @actor.handles
    def refund_refused(payment: Payment, message: RefundRefused, context: Context) -> Payment:
        return hears(payment, message, context)

    @actor.handles
    def refund_unknown(payment: Payment, message: RefundUnknown, context: Context) -> Payment:
        return hears(payment, message, context)

    @actor.handles
    def refund_again(payment: Payment, message: RefundAgain, context: Context) -> Payment:
        return hears(payment, message, context)


def _charge(payment: Payment, order_id: str) -> ChargeOrder:
    assert payment.due is not None, "only what is due is charged"
    return ChargeOrder(order_id=order_id, amount=payment.due, charge_key=payment.charge_key)


def _refund_again(payment: Payment, context: Context) -> None:
    for each in awaited(payment):
        context.effect(
            RefundCapture(
                order_id=context.key, reference=each.reference, amount=each.amount, refund_key=each.refund_key
            )
        )
