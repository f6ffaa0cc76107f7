"""What the customers of the stage send, and how long its provider is away: a seeded plan."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from magnetar.actors.demo.failing.shop import READ_TIMEOUT
from magnetar.actors.demo.plan import CURRENCY, SKUS, Planned
from magnetar.actors.providing.emulator.conduct import Conduct, Manner
from magnetar.schemas import Money
from magnetar.schemas.commerce import Cancel, Line, Place, Restock

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE: Final = 40.0
"""Orders a second."""
AWAY: Final = 1.0
BROKEN: Final = 3
_FEWEST, _MOST = 50, 120
_REGRET: Final = 0.1
_RATES: Final = {
    Manner.SLOW: 0.03,
    Manner.SILENT: 0.03,
    Manner.LIES: 0.06,
    Manner.FAILS: 0.06,
    Manner.CUTS: 0.02,
    Manner.TWICE: 0.05,
    Manner.GARBLES: 0.02,
    Manner.REFUSES: 0.03,
}


@dataclass(frozen=True, slots=True)
class Broken:
    """A message of which only a piece is sent: when (seconds from the start), its id, and what was meant."""

    at: float
    message_id: str
    message: Place


@dataclass(frozen=True, slots=True)
class FailingPlan:
    """Messages by time, and those that are broken. The provider is killed `at`, for `away` seconds."""

    messages: tuple[Planned, ...]
    orders: frozenset[str]
    broken: tuple[Broken, ...]
    at: float
    away: float
    conduct: Conduct


def make_failing_plan(orders: int, seed: int) -> FailingPlan:
    """A tenth of the demo's orders, 50 at least and 120 at most. The same arguments give the same plan."""
    chance, number = random.Random(f"{seed} failing"), min(_MOST, max(_FEWEST, orders // 10))  # noqa: S311 - no secret
    shelves = [f"sku-{sku:02}" for sku in range(SKUS)]
    found = [Planned(0.0, f"restock-{sku}", Restock(sku=sku, quantity=number * 3)) for sku in shelves]
    for each in range(1, number + 1):
        found += _order(f"o-{each}", 0.3 + each / RATE, chance, shelves)
    return FailingPlan(
        messages=tuple(sorted(found, key=lambda planned: planned.at)),
        orders=frozenset(f"o-{each}" for each in range(1, number + 1)),
        broken=tuple(
            Broken(0.3 + each, f"broken-{each}", Place(order_id=f"b-{each}", lines=())) for each in range(BROKEN)
        ),
        at=0.3 + number / RATE * 0.25,
        away=AWAY,
        conduct=Conduct(rates=_RATES, seed=seed, seconds=READ_TIMEOUT * 1.5),
    )


def _order(order_id: str, at: float, chance: random.Random, shelves: list[str]) -> Iterator[Planned]:
    price = Money(chance.randint(100, 9_999), CURRENCY)
    yield Planned(
        at,
        f"place-{order_id}",
        Place(order_id=order_id, lines=(Line(sku=chance.choice(shelves), quantity=1, price=price),)),
    )
    if chance.random() < _REGRET:
        yield Planned(at + chance.uniform(0.0, 1.0), f"cancel-{order_id}", Cancel(order_id=order_id))
