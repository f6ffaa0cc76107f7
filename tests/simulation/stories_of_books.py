"""Smallest stories of the workloads: money, stock, and how orders end.

`GOOD` is what a checker must pass, `BAD` what it must fail and the promise it must name then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.simulation.warehouse import Order, Stock, Tally
from magnetar.runtime.instant import to_datetime
from magnetar.schemas import Money, commerce
from magnetar.schemas.commerce.payments import PaymentOutcome
from tests.simulation.remains import NOW, Remains

if TYPE_CHECKING:
    from collections.abc import Callable

    Story = Callable[[Remains], None]

EUROS = Money(5, "EUR")
CAPTURE = commerce.Capture(order_id="o-1", reference="c-1", amount=EUROS)
REFUND = commerce.RefundRequested(order_id="o-1", reference="c-1", amount=EUROS, outcome=PaymentOutcome.NONE)


# money, stock, terminal: the warehouse


def kept_its_coins(run: Remains) -> None:
    """What was paid is kept, and the rows say the same."""
    run.keeps("orders", Order(status="confirmed", paid=5, kept=5))
    run.rows["bookings"].append((b"", 0, "o-1", "kept", 5))


def lost_its_coins(run: Remains) -> None:
    """Neither kept nor given back."""
    run.keeps("orders", Order(status="cancelled", paid=5))


def kept_coins_for_nothing(run: Remains) -> None:
    """The order was cancelled."""
    run.keeps("orders", Order(status="cancelled", paid=5, kept=5))
    run.rows["bookings"].append((b"", 0, "o-1", "kept", 5))


def booked_nothing(run: Remains) -> None:
    """The rows do not say what the state says."""
    run.keeps("orders", Order(status="confirmed", paid=5, kept=5))


def untouched_article(run: Remains) -> None:
    """All of it is there."""
    run.keeps("stock", Stock(), "s-1")


def oversold_article(run: Remains) -> None:
    """Something is gone."""
    run.keeps("stock", Stock(left=0), "s-1")


def article_reserved_twice(run: Remains) -> None:
    """A reservation came again."""
    run.keeps("stock", Stock(repeats=1), "s-1")


def article_held_for_nobody(run: Remains) -> None:
    """No confirmed order wants it."""
    run.keeps("stock", Stock(left=13, held={"o-1": 1}), "s-1")


def new_order(run: Remains) -> None:
    """Nothing has happened to it."""
    run.keeps("orders", Order())


def order_without_an_end(run: Remains) -> None:
    """It still waits for stock."""
    run.keeps("orders", Order(status="placed", asked=1, answered=1))


def order_without_an_answer(run: Remains) -> None:
    """Stock was asked and has not answered."""
    run.keeps("orders", Order(status="confirmed", asked=1))
    run.keeps("tallies", Tally(reserved=1))


def order_without_a_reminder(run: Remains) -> None:
    """Whoever does not pay is reminded first."""
    run.keeps("orders", Order(status="cancelled", asked=1, answered=1))
    run.keeps("tallies", Tally(refused=1))


def order_with_other_events(run: Remains) -> None:
    """In public nothing was reserved for it."""
    run.keeps("orders", Order(status="confirmed", asked=1, answered=1))


# money, stock, terminal: the shop


def gave_money_back(run: Remains) -> None:
    """A capture for an order that nobody placed is asked back."""
    run.stores("payments", CAPTURE, 1)
    run.stores("payments-events", REFUND, 2)


def kept_money_for_nothing(run: Remains) -> None:
    """It is not."""
    run.stores("payments", CAPTURE, 1)


def gave_money_back_twice(run: Remains) -> None:
    """It is, twice."""
    gave_money_back(run)
    run.stores("payments-events", REFUND, 3)


def kept_another_sum(run: Remains) -> None:
    """The order costs less than what was paid for it."""
    run.stores("payments", CAPTURE, 1)
    order = commerce.Order(status=commerce.OrderStatus.CONFIRMED, total=Money(4, "EUR"), paid_by="c-1")
    run.keeps("orders", order)


def full_shelf(run: Remains) -> None:
    """All that came in is there."""
    run.keeps("stock", commerce.Stock(on_hand=1, restocked=1), "s-1")


def shelf_with_a_hole(run: Remains) -> None:
    """Less is there than came in."""
    run.keeps("stock", commerce.Stock(on_hand=1, restocked=2), "s-1")


def shelf_with_something_put_aside(run: Remains) -> None:
    """At rest nobody waits for it any more."""
    run.keeps("stock", commerce.Stock(reserved=1, restocked=1), "s-1")


def sold_to_nobody(run: Remains) -> None:
    """No confirmed order took it."""
    run.keeps("stock", commerce.Stock(sold=1, restocked=1), "s-1")


def order_never_placed(run: Remains) -> None:
    """It need not end."""
    run.keeps("orders", commerce.Order())


def order_awaiting_payment(run: Remains) -> None:
    """For ever."""
    waiting = commerce.Order(status=commerce.OrderStatus.AWAITING_PAYMENT, placed_at=to_datetime(NOW))
    run.keeps("orders", waiting)


GOOD: dict[str, Story] = {
    "trade money": kept_its_coins,
    "trade stock": untouched_article,
    "trade terminal": new_order,
    "shopping money": gave_money_back,
    "shopping stock": full_shelf,
    "shopping terminal": order_never_placed,
}

_STOCK = "stock is neither oversold nor lost"
_MONEY = "every coin is kept or given back"
_ENDS = "every order ends"

BAD: dict[Story, tuple[str, str]] = {
    lost_its_coins: ("trade money", _MONEY),
    kept_coins_for_nothing: ("trade money", _MONEY),
    booked_nothing: ("trade money", _MONEY),
    oversold_article: ("trade stock", _STOCK),
    article_reserved_twice: ("trade stock", _STOCK),
    article_held_for_nobody: ("trade stock", _STOCK),
    order_without_an_end: ("trade terminal", _ENDS),
    order_without_an_answer: ("trade terminal", _ENDS),
    order_without_a_reminder: ("trade terminal", _ENDS),
    order_with_other_events: ("trade terminal", _ENDS),
    kept_money_for_nothing: ("shopping money", _MONEY),
    gave_money_back_twice: ("shopping money", _MONEY),
    kept_another_sum: ("shopping money", _MONEY),
    shelf_with_a_hole: ("shopping stock", _STOCK),
    shelf_with_something_put_aside: ("shopping stock", _STOCK),
    sold_to_nobody: ("shopping stock", _STOCK),
    order_awaiting_payment: ("shopping terminal", _ENDS),
}
