"""What the stage came to: counts for the table, and its own invariants. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.actors.demo.oracle import FINAL, Verdict, verdict
from magnetar.actors.providing.emulator.audit import charged_once, paid_or_refunded
from magnetar.schemas.commerce import Order, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from magnetar.actors.providing.emulator.book import Entry
    from magnetar.schemas import Money


@dataclass(frozen=True, slots=True)
class Stage:
    """What was there when the stage had come to rest.

    `placed` and `broken`: orders that were sent whole, and in pieces; `entries`: the provider's log; `parked` and
    `freed`: orders whose payment ever waited for room, and went on; `dead`: orders with a dead letter, once for each.
    """

    placed: frozenset[str]
    broken: frozenset[str]
    orders: Mapping[str, Order]
    entries: tuple[Entry, ...]
    parked: frozenset[str]
    freed: frozenset[str]
    dead: tuple[str, ...]
    seconds: float

    def count(self, status: OrderStatus) -> int:
        """How many orders ended so."""
        return sum(order.status is status for order in self.orders.values())

    def did(self, what: str) -> int:
        """How often the provider did this, by its own log."""
        return sum(entry.what == what for entry in self.entries)


def judge_stage(stage: Stage) -> list[Verdict]:
    """Every invariant of the stage, in the order in which a reader would ask."""
    return [
        verdict("provider failing: every order came to an end", _ended(stage)),
        verdict("provider failing: no order was charged twice", charged_once(stage.entries)),
        verdict(
            "provider failing: it keeps what confirmed orders cost, nothing else",
            paid_or_refunded(stage.entries, _confirmed(stage.orders)),
        ),
        verdict("provider failing: every order that was parked recovered", _recovered(stage)),
        verdict("provider failing: what is broken is a dead letter once, nothing else is", _dead(stage)),
    ]


def _ended(stage: Stage) -> Iterator[str | None]:
    for order_id in sorted(stage.placed):
        order = stage.orders.get(order_id, Order())
        yield None if order.status in FINAL else f"{order_id} is still {order.status.value}"


def _confirmed(orders: Mapping[str, Order]) -> dict[str, Money]:
    return {
        key: order.total
        for key, order in orders.items()
        if order.status is OrderStatus.CONFIRMED and order.total is not None
    }


def _recovered(stage: Stage) -> Iterator[str | None]:
    for order_id in sorted(stage.parked):
        yield None if order_id in stage.freed else f"{order_id} is parked, and never went on"


def _dead(stage: Stage) -> Iterator[str | None]:
    for order_id in sorted(stage.broken | set(stage.dead)):
        times, wanted = stage.dead.count(order_id), int(order_id in stage.broken)
        yield None if times == wanted else f"{order_id} has {times} dead letters"
