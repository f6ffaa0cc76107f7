"""Contracts of actor `payments` with a provider: what it asks of it, and what came of that.

An order is charged once, under one key for ever. Whatever is not known is asked after, and never asked for anew.
"""

from __future__ import annotations

import enum
from typing import Annotated

from magnetar.schemas.contracts import Doc, Effect, Money, Outcome, Timer, Unknown

NAMESPACE = "magnetar.payments"


class ChargeStanding(enum.Enum):
    """Where the provider's charge for an order stands. `asked` and `cancelling` wait for an answer."""

    __namespace__ = NAMESPACE

    NONE = "none"
    ASKED = "asked"
    CANCELLING = "cancelling"
    TAKEN = "taken"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class RefundStanding(enum.Enum):
    """Where the provider's refund of a capture stands. `asked` waits for an answer."""

    __namespace__ = NAMESPACE

    NONE = "none"
    ASKED = "asked"
    GIVEN_BACK = "given_back"
    REFUSED = "refused"


class ChargeOrder(Effect):
    """Take what is due for an order."""

    __namespace__ = NAMESPACE

    order_id: Annotated[str, Doc("of which order")]
    amount: Annotated[Money, Doc("what is due, exactly")]
    charge_key: Annotated[str, Doc("the key under which it was asked before; empty: for the first time")] = ""


class LookUpCharge(Effect):
    """Find out what became of a charge that nobody knows of."""

    __namespace__ = NAMESPACE

    charge_key: Annotated[str, Doc("under which it was asked")]


class CancelCharge(Effect):
    """See to it that nothing is taken under a charge's key any more, or learn that it was."""

    __namespace__ = NAMESPACE

    charge_key: Annotated[str, Doc("under which it was asked")]


class RefundCapture(Effect):
    """Give a capture back, whole."""

    __namespace__ = NAMESPACE

    order_id: Annotated[str, Doc("of which order")]
    reference: Annotated[str, Doc("the provider's name for the capture")]
    amount: Annotated[Money, Doc("what was taken and goes back")]
    refund_key: Annotated[str, Doc("the key under which it was asked before; empty: for the first time")] = ""


class Charged(Outcome):
    """The provider has taken the money: told of a charge, of looking it up, or of cancelling it too late."""

    __namespace__ = NAMESPACE

    reference: Annotated[str, Doc("the provider's name for the capture")]
    amount: Annotated[Money, Doc("what was taken")]


class ChargeRefused(Outcome):
    """The provider has refused for good: nothing was taken under this key, and nothing will be."""

    __namespace__ = NAMESPACE

    reason: Annotated[str, Doc("the provider's code, such as no_cover")]


class ChargeNotFound(Outcome):
    """The provider knows nothing of a charge yet. It may still arrive there."""

    __namespace__ = NAMESPACE


class ChargeCancelled(Outcome):
    """Nothing was taken under the charge's key, and nothing will be."""

    __namespace__ = NAMESPACE


class ChargeUnknown(Unknown):
    """Nobody knows what became of a charge, of looking it up, or of cancelling it."""

    __namespace__ = NAMESPACE


class AskAgain(Timer):
    """Time to ask again what became of a charge."""

    __namespace__ = NAMESPACE


class Refunded(Outcome):
    """The provider has given the money back."""

    __namespace__ = NAMESPACE

    reference: Annotated[str, Doc("the provider's name for the capture that went back")]


class RefundRefused(Outcome):
    """The provider will never give it back under this key: a person must look."""

    __namespace__ = NAMESPACE

    reference: Annotated[str, Doc("the provider's name for the capture")]
    reason: Annotated[str, Doc("the provider's code, such as unknown_charge")]


class RefundUnknown(Unknown):
    """Nobody knows whether the money went back."""

    __namespace__ = NAMESPACE


class RefundAgain(Timer):
    """Time to ask again for what has not come back yet."""

    __namespace__ = NAMESPACE
