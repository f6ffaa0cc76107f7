"""An app that asks the outside: a payment charges, and notes in order what it was told."""

from __future__ import annotations

from magnetar.runtime import (
    Actor,
    App,
    Breaking,
    Call,
    Command,
    Context,
    Dependency,
    Effect,
    Failed,
    Key,
    NotSent,
    Outcome,
    Policy,
    Retry,
    State,
    TemporaryError,
    Unknown,
    replace,
)


class Pay(Command):
    """Charge it, so many times, once the message has failed so often."""

    order: Key
    amount: int = 1
    times: int = 1
    fails: int = 0


class Sulk(Command):
    """Fail, and keep the key parked for a while."""

    order: Key


class Charge(Effect):
    """Take the money."""

    order: str
    amount: int


class Charged(Outcome):
    """The money was taken."""

    reference: str = ""


class Declined(Outcome):
    """The money will not be taken."""

    reason: str = ""


class ChargeUnknown(Unknown):
    """Nobody knows whether it was."""


class Payment(State):
    """What was told, in order, and under which keys it was asked."""

    told: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


psp = Dependency(
    "psp",
    threads=2,
    queue=5,
    timeout=2.0,
    rate=100.0,
    burst=10,
    attempts=3,
    tiers=(1.0, 4.0),
    jitter=0.0,
    breaking=Breaking(share=0.5, window=10, least=4, opens=30.0),
)
payments = Actor("payments", Payment, policy=Policy(partitions=2, retry=Retry(immediate=1, tiers=(3.0,), jitter=0.0)))


@payments.handles
def pay(payment: Payment, message: Pay, context: Context) -> Payment:
    """Ask, and fail then: what was asked must be taken back."""
    asked = [context.effect(Charge(order=context.key, amount=message.amount)) for _ in range(message.times)]
    if context.envelope.attempt < message.fails:
        text = "not yet"
        raise TemporaryError(text)
    return replace(payment, keys=(*payment.keys, *asked))


@payments.handles
def sulk(payment: Payment, message: Sulk, context: Context) -> Payment:
    """Not at once."""
    if not context.envelope.attempt:
        text = "later"
        raise TemporaryError(text)
    return replace(payment, told=(*payment.told, "sulked"))


@payments.handles
def charged(payment: Payment, message: Charged, context: Context) -> Payment:
    """Note it."""
    return replace(payment, told=(*payment.told, f"charged {message.reference}"))


@payments.handles
def declined(payment: Payment, message: Declined, context: Context) -> Payment:
    """Note it."""
    return replace(payment, told=(*payment.told, f"declined {message.reason}"))


@payments.handles
def nobody_knows(payment: Payment, message: ChargeUnknown, context: Context) -> Payment:
    """Note it."""
    return replace(payment, told=(*payment.told, f"unknown {message.attempts} {message.sent} {message.error}"))


@payments.effect(psp, unknown=ChargeUnknown)
def charge(request: Charge, call: Call) -> Charged | Failed[Declined]:
    """Nobody is there in tests; see the stand-ins."""
    text = f"{request.order}: no provider for {call.idempotency_key}"
    raise NotSent(text)


shopfront = App("shopfront", payments)
