"""What the shop asks of a payment provider.

A key names one intention and stays the same however often it is asked: after time-outs, restarts and on another worker.
Under one key a provider does one thing at most once, and answers the same ever after. Keys are 1 to 255 visible ASCII
characters. Money is integer minor units with its currency.

The shop sells as soon as it is paid, so authorising and capturing are one deed, the charge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from magnetar.actors.limits import MOST_MONEY, REFERENCE_LIMIT, is_currency, is_name

if TYPE_CHECKING:
    from magnetar.schemas import Money

_KEY: Final = re.compile(r"[!-~]{1,255}", re.ASCII)


class Deed(StrEnum):
    """What a provider does with money."""

    CHARGED = "charged"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Charge:
    """Take this money from the customer of an order. `ValueError` for what is no order or no amount."""

    order_id: str
    amount: Money

    def __post_init__(self) -> None:
        """Refuse what no provider would take."""
        _check(self.order_id, self.amount)


@dataclass(frozen=True, slots=True)
class Refund:
    """Give money of a charge back, which `reference` names. `ValueError` for what is no order, reference or amount."""

    order_id: str
    reference: str
    amount: Money

    def __post_init__(self) -> None:
        """Refuse what no provider would take."""
        _check(self.order_id, self.amount)
        if not is_name(self.reference, REFERENCE_LIMIT):
            message = f"{self.reference!r:.200} names no charge: 1 to {REFERENCE_LIMIT} printable characters"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done under a key, and the provider's name for it."""

    deed: Deed
    reference: str
    amount: Money


class Provider(Protocol):
    """A payment provider. Every call blocks until there is an answer or a time-out; any thread, several at once.

    Each raises `Refused` (final), `NotSent`, `Unsure`, `NotAdmitted`, `Contradicted`; `ValueError` for what is no key.
    """

    def charge(self, key: str, asked: Charge) -> Receipt:
        """Take the money, once for this key."""
        ...

    def refund(self, key: str, asked: Refund) -> Receipt:
        """Give it back, once for this key. Several refunds, each with its key, give back no more than was charged."""
        ...

    def cancel(self, key: str) -> Receipt | None:
        """See to it that nothing is taken under the key of a charge any more.

        None: nothing was, and a charge that arrives from now on is refused. Else it was taken before: the charge's
        receipt, and nothing is changed. Cancelling again answers the same.
        """
        ...

    def look_up(self, key: str) -> Receipt | None:
        """What was done under a key. None: nothing is known of it, which is not final: a charge may be on its way."""
        ...


def checked_key(key: str) -> str:
    """The key. Raises `ValueError` for one that cannot stand in a header."""
    if _KEY.fullmatch(key) is None:
        message = f"{key!r:.300} is no idempotency key: 1 to 255 visible ASCII characters"
        raise ValueError(message)
    return key


def _check(order_id: str, amount: Money) -> None:
    if not is_name(order_id):
        message = f"{order_id!r:.200} names no order"
        raise ValueError(message)
    if not 0 < amount.amount <= MOST_MONEY or not is_currency(amount.currency):
        message = f"{amount} is no amount: 1 to {MOST_MONEY} minor units of a currency such as EUR"
        raise ValueError(message)
