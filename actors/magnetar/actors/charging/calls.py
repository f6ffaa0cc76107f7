"""The effects of a payment: each calls the provider, and says no more than is known.

A refusal of the provider is final by the port's promise. What never left is told as such; everything else rises, and is
asked again under the same key.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from magnetar.actors import providing
from magnetar.runtime import Actor, Call, Dependency, Failed, NotSent
from magnetar.schemas.commerce import (
    CancelCharge,
    ChargeCancelled,
    Charged,
    ChargeNotFound,
    ChargeOrder,
    ChargeRefused,
    ChargeUnknown,
    LookUpCharge,
    Payment,
    RefundCapture,
    Refunded,
    RefundRefused,
    RefundUnknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class Calls:
    """The effect functions, which find their provider when they are called. Threads: those of the bulkhead."""

    def __init__(self, provider: Callable[[], providing.Provider]) -> None:
        """`provider` is asked for at each call: make one that is kept."""
        self._provider = provider

    def charge(self, request: ChargeOrder, call: Call) -> Charged | Failed[ChargeRefused]:
        """Take the money; asked again, under the key of the first time."""
        key = request.charge_key or call.idempotency_key
        try:
            with _reaching():
                taken = self._provider().charge(key, providing.Charge(request.order_id, request.amount))
        except providing.Refused as refused:
            return Failed(ChargeRefused(reason=refused.reason), final=True)
        return _charged(taken)

    def look_up(self, request: LookUpCharge) -> Charged | ChargeNotFound | Failed[ChargeRefused]:
        """What became of it."""
        try:
            with _reaching():
                found = self._provider().look_up(request.charge_key)
        except providing.Refused as refused:
            return Failed(ChargeRefused(reason=refused.reason), final=True)
        return ChargeNotFound() if found is None else _charged(found)

    def cancel(self, request: CancelCharge) -> Charged | ChargeCancelled:
        """Never again; or it was."""
        with _reaching():
            taken = self._provider().cancel(request.charge_key)
        return ChargeCancelled() if taken is None else _charged(taken)

    def refund(self, request: RefundCapture, call: Call) -> Refunded | Failed[RefundRefused]:
        """Give it back; asked again, under the key of the first time."""
        key = request.refund_key or call.idempotency_key
        try:
            with _reaching():
                self._provider().refund(key, providing.Refund(request.order_id, request.reference, request.amount))
        except providing.Refused as refused:
            return Failed(RefundRefused(reference=request.reference, reason=refused.reason), final=True)
        return Refunded(reference=request.reference)


def declare(actor: Actor[Payment], calls: Calls, provider: Dependency) -> None:
    """Give the actor its effects, all of them in the provider's bulkhead."""

    @actor.effect(provider, unknown=ChargeUnknown)
    def charge(request: ChargeOrder, call: Call) -> Charged | Failed[ChargeRefused]:
        return calls.charge(request, call)

    @actor.effect(provider, unknown=ChargeUnknown)
    def look_up(request: LookUpCharge, _: Call) -> Charged | ChargeNotFound | Failed[ChargeRefused]:
        return calls.look_up(request)

    @actor.effect(provider, unknown=ChargeUnknown)
    def cancel(request: CancelCharge, _: Call) -> Charged | ChargeCancelled:
        return calls.cancel(request)

    @actor.effect(provider, unknown=RefundUnknown)
    def refund(request: RefundCapture, call: Call) -> Refunded | Failed[RefundRefused]:
        return calls.refund(request, call)


@contextmanager
def _reaching() -> Generator[None]:
    """Say of a question that never left what the runtime wants to know."""
    try:
        yield
    except providing.NotSent as error:
        raise NotSent(str(error)) from error


def _charged(receipt: providing.Receipt) -> Charged:
    return Charged(reference=receipt.reference, amount=receipt.amount)
