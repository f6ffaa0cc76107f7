"""What the provider's own log proves: each order was charged at most once, and ended paid or refunded. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from magnetar.actors.providing.emulator.book import Entry
    from magnetar.schemas import Money


def charged_once(entries: Iterable[Entry]) -> Iterator[str | None]:
    """For each order that was charged: None, or what is wrong. Whatever the keys were: money was taken once."""
    charges: Counter[str] = Counter(entry.order_id for entry in entries if entry.what == "charged")
    for order_id, times in charges.items():
        yield None if times == 1 else f"{order_id} was charged {times} times"


def paid_or_refunded(entries: Iterable[Entry], confirmed: Mapping[str, Money]) -> Iterator[str | None]:
    """For each order that was charged, or is confirmed: None, or what is wrong once everything is at rest.

    `confirmed`: what each confirmed order cost. The provider keeps exactly that, and nothing of any other order.
    """
    kept: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        if entry.what in {"charged", "refunded"}:
            kept[entry.order_id][entry.currency] += entry.amount if entry.what == "charged" else -entry.amount
    for order_id in sorted(kept.keys() | confirmed.keys()):
        total = confirmed.get(order_id)
        wanted = {} if total is None else {total.currency: total.amount}
        left = {currency: amount for currency, amount in kept[order_id].items() if amount}
        told = "not confirmed" if total is None else f"confirmed for {total.amount} {total.currency}"
        yield None if left == wanted else f"{order_id} is {told}, and the provider keeps {left or 'nothing'}"
