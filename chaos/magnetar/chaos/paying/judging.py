"""Whether every order came to what it should, by the provider's log and ours. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from magnetar.actors.charging.rules import waits_for_provider
from magnetar.actors.ordering.rules import ENDS
from magnetar.actors.providing.emulator.audit import charged_once, paid_or_refunded
from magnetar.chaos.parking.judging import Verdict
from magnetar.schemas.commerce import ChargeStanding, Order, OrderStatus, Payment, RefundStanding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from magnetar.actors.providing.emulator.book import Entry
    from magnetar.schemas import Money

_LEFT = frozenset({"cancelled", "refused"})
_SAID = {
    ChargeStanding.TAKEN: frozenset({"charged"}),
    ChargeStanding.REFUSED: _LEFT,  # also by a cancellation that came before the charge
    ChargeStanding.CANCELLED: _LEFT,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What was there at the end.

    `placed`: every order; `orders` and `payments`: their states; `entries`: the provider's log; `doubts`: how often a
    payment was told that nobody knows; `callbacks`: how often payments were told beside the answers to what they ask;
    `kills`: of the provider and of workers; `dead`: messages that died; `wrong`: what the checkers found.
    """

    placed: frozenset[str]
    orders: Mapping[str, Order]
    payments: Mapping[str, Payment]
    entries: Sequence[Entry]
    doubts: int
    callbacks: int
    kills: tuple[int, int]
    dead: int
    wrong: Sequence[str]


class Ending(msgspec.Struct, frozen=True, order=True):
    """How orders ended: what became of them, of their charge, and of the money that was taken; and how many."""

    order: str
    charge: str
    money: str
    count: int


def verdicts(seen: Seen) -> list[Verdict]:
    """Every line of the report."""
    open_ = sum(not _has_ended(seen.orders.get(key)) for key in seen.placed)
    charges = sum(entry.what == "charged" for entry in seen.entries)
    refunds = sum(entry.what == "refunded" for entry in seen.entries)
    twice, unpaid, contradicted = found(seen)
    return [
        Verdict("nothing lost, out of order or done twice", f"{len(seen.wrong)} violations", not seen.wrong),
        Verdict("every order ends", f"{len(seen.placed):,} orders, {open_} still open", not open_),
        Verdict(
            "nobody pays twice: at most one charge for an order",
            f"{charges:,} charges, {len(twice)} orders charged more than once",
            not twice,
        ),
        Verdict(
            "every order ends paid, or not charged, or refunded",
            f"{refunds:,} refunds, {len(unpaid)} orders with other money than theirs",
            not unpaid,
        ),
        Verdict(
            "payments are as the provider's log says",
            f"{len(seen.payments):,} payments, {len(contradicted)} contradicted",
            not contradicted,
        ),
        Verdict("no message dies", f"{seen.dead} dead letters", not seen.dead),
        _was_hard(seen, refunds),
    ]


def found(seen: Seen) -> tuple[list[str], list[str], list[str]]:
    """What is wrong with money, in words: charged twice, neither paid nor refunded, and what payments say falsely."""
    return (
        [words for words in charged_once(seen.entries) if words],
        [words for words in paid_or_refunded(seen.entries, confirmed(seen.orders)) if words],
        list(contradictions(seen)),
    )


def confirmed(orders: Mapping[str, Order]) -> dict[str, Money]:
    """What each confirmed order cost."""
    return {
        key: order.total
        for key, order in orders.items()
        if order.status is OrderStatus.CONFIRMED and order.total is not None
    }


def contradictions(seen: Seen) -> Iterator[str]:
    """Whatever a payment takes for the provider's word, and the provider's log does not say."""
    said = {entry.key: entry.what for entry in seen.entries}
    for key, payment in sorted(seen.payments.items()):
        wanted, there = _SAID.get(payment.charge, frozenset({None})), said.get(payment.charge_key)
        if there not in wanted:
            yield f"{key}: its charge is {payment.charge.value}, the provider's log says {there}"
        for each in payment.captures:
            back = said.get(each.refund_key)
            if (each.refund is RefundStanding.GIVEN_BACK) != (back == "refunded"):
                yield f"{key}: {each.reference} is {each.refund.value}, the provider's log says {back}"


def endings(seen: Seen) -> list[Ending]:
    """How many orders ended how; most first."""
    counted = Counter(_ending(seen.orders[key], seen.payments.get(key, Payment())) for key in seen.orders)
    return [Ending(*how, count) for how, count in sorted(counted.items(), key=lambda each: (-each[1], each[0]))]


def rests(payments: Iterable[Payment]) -> bool:
    """Whether no payment waits for the provider."""
    return not any(map(waits_for_provider, payments))


def _was_hard(seen: Seen, refunds: int) -> Verdict:
    """What never happened was not seen to go well."""
    provider, workers = seen.kills
    told = f"{seen.doubts} times nobody knew; {seen.callbacks} callbacks; kills: {provider} and {workers} workers"
    tried = all((*seen.kills, seen.doubts, seen.callbacks, refunds))
    return Verdict("all of it was tried: kills, doubts, callbacks, refunds", told, tried)


def _has_ended(order: Order | None) -> bool:
    return order is not None and order.status in ENDS


def _ending(order: Order, payment: Payment) -> tuple[str, str, str]:
    back = sum(each.refund is RefundStanding.GIVEN_BACK for each in payment.captures)
    kept = len(payment.captures) - back
    money = "kept" if kept else "given back" if back else "never taken"
    return f"{order.status.value}: {order.ended_by.value}", payment.charge.value, money
