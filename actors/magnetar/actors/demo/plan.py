"""What the customers of the demo do: a seeded plan, made before anything runs."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from magnetar.schemas import Money
from magnetar.schemas.commerce import Cancel, Capture, Line, Place, Restock

if TYPE_CHECKING:
    from magnetar.schemas import Command

CURRENCY: Final = "EUR"
SKUS: Final = 40
SCARCE: Final = "sku-scarce"
SCARCE_UNITS: Final = 25


class Story(StrEnum):
    """What happens to one order of the demo."""

    PAID = "paid in time"
    CLICKED_TWICE = "everything sent twice"
    PAID_TWICE = "paid twice, by two captures"
    PAID_EARLY = "paid before it was placed"
    PAID_LATE = "paid after the time-out"
    NEVER_PAID = "never paid"
    PAID_SHORT = "paid too little"
    CANCELLED = "cancelled by the customer"
    SCARCE = "of a scarce article"


_SHARES: Final = {
    Story.PAID: 44,
    Story.CLICKED_TWICE: 12,
    Story.PAID_TWICE: 6,
    Story.PAID_EARLY: 8,
    Story.PAID_LATE: 8,
    Story.NEVER_PAID: 8,
    Story.PAID_SHORT: 4,
    Story.CANCELLED: 5,
    Story.SCARCE: 5,
}


@dataclass(frozen=True, slots=True)
class Planned:
    """One message: when it is sent (seconds from the start), its id, and how many copies under that id."""

    at: float
    message_id: str
    message: Command
    copies: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole demo's messages in order of time, and the story of each order."""

    messages: tuple[Planned, ...]
    stories: dict[str, Story]


def make_plan(orders: int, seed: int, *, payment_timeout: float, spread: float) -> Plan:
    """A plan for so many orders, placed over `spread` seconds. The same arguments give the same plan."""
    chance = random.Random(seed)  # noqa: S311 - a plan must be repeatable
    shelves = [f"sku-{number:02}" for number in range(SKUS)]
    messages = [Planned(0.0, f"restock-{sku}", Restock(sku=sku, quantity=orders * 3)) for sku in shelves]
    messages.append(Planned(0.0, f"restock-{SCARCE}", Restock(sku=SCARCE, quantity=SCARCE_UNITS)))
    stories: dict[str, Story] = {}
    kinds, weights = list(_SHARES), list(_SHARES.values())
    for number in range(1, orders + 1):
        order_id = f"o-{number}"
        story = stories[order_id] = chance.choices(kinds, weights)[0]
        start = 0.3 + spread * number / orders
        messages.extend(_tell(order_id, story, start, payment_timeout, chance, shelves))
    return Plan(tuple(sorted(messages, key=lambda planned: planned.at)), stories)


def _tell(
    order_id: str, story: Story, start: float, patience: float, chance: random.Random, shelves: list[str]
) -> list[Planned]:
    skus = [SCARCE] if story is Story.SCARCE else chance.sample(shelves, chance.randint(1, 3))
    lines = tuple(
        Line(sku=sku, quantity=chance.randint(1, 3), price=Money(chance.randint(100, 9_999), CURRENCY)) for sku in skus
    )
    due = sum(line.quantity * line.price.amount for line in lines)
    soon = start + chance.uniform(0.05, patience * 0.4)
    copies = 2 if story is Story.CLICKED_TWICE or chance.random() < 0.05 else 1  # noqa: PLR2004 - one in twenty
    placed = Planned(start, f"place-{order_id}", Place(order_id=order_id, lines=lines), copies)
    paid = {
        Story.PAID: [_capture(order_id, 1, due, soon, copies)],
        Story.CLICKED_TWICE: [_capture(order_id, 1, due, soon, copies)],
        Story.SCARCE: [_capture(order_id, 1, due, soon, copies)],
        Story.PAID_TWICE: [_capture(order_id, 1, due, soon, copies), _capture(order_id, 2, due, soon + 0.1, copies)],
        Story.PAID_EARLY: [_capture(order_id, 1, due, start - 0.2, copies)],
        Story.PAID_LATE: [_capture(order_id, 1, due, start + patience * 1.6, copies)],
        Story.PAID_SHORT: [_capture(order_id, 1, due - 1, soon, copies)],
        Story.CANCELLED: [Planned(soon, f"cancel-{order_id}", Cancel(order_id=order_id), copies)],
        Story.NEVER_PAID: [],
    }
    return [placed, *paid[story]]


def _capture(order_id: str, number: int, amount: int, at: float, copies: int) -> Planned:
    reference = f"capture-{order_id}-{number}"
    message = Capture(order_id=order_id, reference=reference, amount=Money(amount, CURRENCY))
    return Planned(max(0.0, at), reference, message, copies)
