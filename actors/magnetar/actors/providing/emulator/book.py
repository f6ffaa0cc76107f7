"""The provider's books: what was done under each key. Deciding is pure; a decision counts once it is an entry."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from magnetar.actors.providing import wire

if TYPE_CHECKING:
    from collections.abc import Iterable

Asked: TypeAlias = wire.ChargeBody | wire.RefundBody
NO_COVER: Final = "no_cover"
UNKNOWN_CHARGE: Final = "unknown_charge"
OTHER_CURRENCY: Final = "other_currency"
BEYOND_CHARGE: Final = "beyond_charge"


class KeyReused(Exception):
    """The key stands for something else already."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was done under a key, once: a line of the log.

    number: of the line, from 1. at: when, UTC. asked: what for, `charge`, `refund`, or `cancel` of a key never seen.
    reference: the provider's name for what it did. charge: that of the charge which a refund is of. code: why it was
    refused.
    """

    number: int
    key: str
    at: str
    what: Literal["charged", "refunded", "refused", "cancelled"]
    asked: Literal["charge", "refund", "cancel"]
    order_id: str = ""
    amount: int = 0
    currency: str = ""
    reference: str = ""
    charge: str = ""
    code: str = ""

    def is_of(self, asked: Asked) -> bool:
        """Whether it is the entry of this question: the same deed, order, amount and charge."""
        charge = asked.charge if isinstance(asked, wire.RefundBody) else ""
        kind = "charge" if isinstance(asked, wire.ChargeBody) else "refund"
        mine = (self.asked, self.order_id, self.amount, self.currency, self.charge)
        return mine == (kind, asked.order_id, asked.amount, asked.currency, charge)


@dataclass
class Book:
    """Every entry, by key, and what was given back of each charge."""

    entries: dict[str, Entry] = field(default_factory=dict)
    charges: dict[str, Entry] = field(default_factory=dict)
    given_back: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Book:
        """The books that these entries make, in their order."""
        book = cls()
        for entry in entries:
            book.add(entry)
        return book

    def add(self, entry: Entry) -> None:
        """What was decided counts from now on."""
        assert entry.key not in self.entries, f"key {entry.key} has an entry"
        self.entries[entry.key] = entry
        if entry.what == "charged":
            self.charges[entry.reference] = entry
        if entry.what == "refunded":
            self.given_back[entry.charge] += entry.amount

    def decide(self, key: str, asked: Asked, at: str, declined: str = "") -> Entry:
        """The entry of this question: the one that the key has, or a new one. Raises `KeyReused`.

        `declined`: a code to refuse with, were it new.
        """
        known = self.entries.get(key)
        if known is not None:
            return _same(known, asked)
        number = len(self.entries) + 1
        if isinstance(asked, wire.ChargeBody):
            return _charge(number, key, at, asked, declined)
        return _refund(number, key, at, asked, declined or self._fault(asked))

    def cancel(self, key: str, at: str) -> Entry:
        """The entry of a charge that is not to be any more: the one that the key has, or a new one. `KeyReused`."""
        known = self.entries.get(key)
        if known is not None and known.asked == "refund":
            raise KeyReused
        number = len(self.entries) + 1
        return known or Entry(number=number, key=key, at=at, what="cancelled", asked="cancel")

    def _fault(self, asked: wire.RefundBody) -> str:
        charge = self.charges.get(asked.charge)
        if charge is None or charge.order_id != asked.order_id:
            return UNKNOWN_CHARGE
        if charge.currency != asked.currency:
            return OTHER_CURRENCY
        return BEYOND_CHARGE if self.given_back[asked.charge] + asked.amount > charge.amount else ""


def _same(known: Entry, asked: Asked) -> Entry:
    if known.what == "cancelled" and isinstance(asked, wire.ChargeBody):
        return known
    if not known.is_of(asked):
        raise KeyReused
    return known


def _charge(number: int, key: str, at: str, asked: wire.ChargeBody, declined: str) -> Entry:
    return Entry(
        number=number,
        key=key,
        at=at,
        what="refused" if declined else "charged",
        asked="charge",
        order_id=asked.order_id,
        amount=asked.amount,
        currency=asked.currency,
        reference="" if declined else f"ch_{number}",
        code=declined,
    )


def _refund(number: int, key: str, at: str, asked: wire.RefundBody, declined: str) -> Entry:
    return Entry(
        number=number,
        key=key,
        at=at,
        what="refused" if declined else "refunded",
        asked="refund",
        order_id=asked.order_id,
        amount=asked.amount,
        currency=asked.currency,
        reference="" if declined else f"re_{number}",
        charge=asked.charge,
        code=declined,
    )
