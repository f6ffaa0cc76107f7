"""The shop's stories, on the real engine: what a customer, the provider and time may do, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.actors import ShopSettings, make_shop
from magnetar.runtime import Remote, World
from magnetar.schemas import Money
from magnetar.schemas.commerce import (
    Cancel,
    Capture,
    CaptureFailed,
    NotReserved,
    NotSold,
    OrderCancelled,
    OrderConfirmed,
    OrderOutcome,
    OrderRefused,
    PaymentOutcome,
    Place,
    RefundRequested,
    Release,
    Reserve,
    Reserved,
    Restock,
    Return,
    Sell,
    Sold,
    StockRefusal,
)
from tests.unit.actors.goods import LATER, euros, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.schemas.commerce import Order, Payment, Stock

SHOP = make_shop(ShopSettings(partitions=2))
STOCK_AWAY = Remote("stock", takes=[Reserve, Sell, Release, Return], publishes=[Reserved, NotReserved, Sold, NotSold])


class Stage:
    """A world with a shop in it, and short names for what is looked at."""

    def __init__(self, world: World) -> None:
        """Three units of `s-1` and of `s-2` are on hand."""
        self.world = world
        for sku in ("s-1", "s-2"):
            world.send(Restock(sku=sku, quantity=3))

    def place(self, *skus: str, order_id: str = "o-1") -> str:
        """Place an order of one unit each at 5.00; returns its status."""
        self.world.send(Place(order_id=order_id, lines=tuple(map(line, skus or ("s-1",)))))
        return self.order(order_id).status.value

    def pay(self, cents: int = 500, reference: str = "r-1", currency: str = "EUR", order_id: str = "o-1") -> str:
        """The provider says that it captured money; returns what the payment made of it."""
        self.world.send(Capture(order_id=order_id, reference=reference, amount=Money(cents, currency)))
        return self.payment(order_id).outcome.value

    def order(self, order_id: str = "o-1") -> Order:
        """As it is committed."""
        return self.world.state(SHOP.orders, order_id)

    def payment(self, order_id: str = "o-1") -> Payment:
        """As it is committed."""
        return self.world.state(SHOP.payments, order_id)

    def stock(self, sku: str = "s-1") -> Stock:
        """As it is committed."""
        return self.world.state(SHOP.stock, sku)

    def counts(self, sku: str = "s-1") -> tuple[int, int, int]:
        """On hand, reserved, sold."""
        stock = self.stock(sku)
        return stock.on_hand, stock.reserved, stock.sold

    def refunds(self) -> list[tuple[str, str]]:
        """What was asked to go back, and why."""
        return [(each.reference, each.outcome.value) for each in self.world.sent(RefundRequested)]


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A fresh world."""
    with World(SHOP.app) as world:
        yield Stage(world)


def test_an_order_is_reserved_paid_and_confirmed(stage: Stage) -> None:
    """The way it should go, with the money and the goods where they belong and no timer left."""
    assert stage.place("s-1", "s-2") == "awaiting_payment"
    assert (stage.counts("s-1"), stage.counts("s-2")) == ((2, 1, 0), (2, 1, 0))
    assert stage.pay(1000) == "paid"
    assert stage.order().status.value == "confirmed"
    assert (stage.counts("s-1"), stage.counts("s-2")) == ((2, 0, 1), (2, 0, 1))
    assert stage.world.sent(OrderConfirmed) == [OrderConfirmed(order_id="o-1", total=euros(1000))]
    assert stage.world.timers(SHOP.orders, "o-1") == []
    assert stage.refunds() == []


def test_who_asks_is_told_the_outcome(stage: Stage) -> None:
    """The state carries what came of the last message: placing twice is answered with `placed_again`."""
    stage.place()
    stage.world.send(Place(order_id="o-1", lines=(line(),)))
    assert stage.order().outcome is OrderOutcome.PLACED_AGAIN
    stage.world.send(Place(order_id="o-1", lines=(line(quantity=2),)))
    assert stage.order().outcome is OrderOutcome.PLACED_DIFFERENTLY
    assert [each.line for each in stage.order().lines] == [line()]
    assert stage.counts() == (2, 1, 0)


def test_an_order_that_one_sku_cannot_fill_gives_back_the_other(stage: Stage) -> None:
    """All lines or none; what was refused needs no release."""
    stage.world.send(Place(order_id="o-1", lines=(line("s-1"), line("s-2", quantity=4))))
    assert (stage.order().status.value, stage.order().ended_by) == ("cancelled", OrderOutcome.OUT_OF_STOCK)
    assert (stage.counts("s-1"), stage.counts("s-2")) == ((3, 0, 0), (3, 0, 0))
    assert stage.world.sent(OrderCancelled) == [OrderCancelled(order_id="o-1", outcome=OrderOutcome.OUT_OF_STOCK)]
    assert {release.sku for release in stage.world.sent(Release)} == {"s-1"}


def test_an_unpaid_order_is_cancelled_after_half_an_hour(stage: Stage) -> None:
    """Not a moment sooner; and a payment that comes after it goes back."""
    stage.place()
    stage.world.advance(1799.999)
    assert stage.order().status.value == "awaiting_payment"
    stage.world.advance(0.001)
    assert (stage.order().status.value, stage.order().ended_by.value) == ("cancelled", "payment_overdue")
    assert stage.counts() == (3, 0, 0)
    assert stage.pay() == "refunded_too_late"
    assert stage.refunds() == [("r-1", "refunded_too_late")]


def test_the_time_outs_are_settings() -> None:
    """A demo compresses time."""
    with World(make_shop(ShopSettings(payment_timeout=2.0, partitions=2)).app) as world:
        stage = Stage(world)
        stage.place()
        world.advance(2.0)
        assert stage.order().ended_by.value == "payment_overdue"


def test_a_callback_before_its_order_waits_for_it(stage: Stage) -> None:
    """Early money is held; the order that claims it is paid as soon as it is reserved."""
    assert stage.pay() == "captured_early"
    assert stage.place() == "confirmed"
    assert (stage.payment().status.value, stage.refunds()) == ("paid", [])
    assert stage.world.timers(SHOP.payments, "o-1") == []


def test_early_money_that_does_not_fit_goes_back(stage: Stage) -> None:
    """Of several early captures the first that fits is kept; with none, the order waits for a right one."""
    outcomes = [stage.pay(400, "r-1"), stage.pay(500, "r-2"), stage.pay(500, "r-3")]
    assert outcomes == ["captured_early"] * 3
    assert stage.place() == "confirmed"
    assert stage.order().paid_by == "r-2"
    assert stage.refunds() == [("r-1", "requested_and_paid"), ("r-3", "requested_and_paid")]
    stage.pay(400, "r-4", order_id="o-2")
    assert stage.place(order_id="o-2") == "awaiting_payment"
    assert stage.payment("o-2").outcome.value == "requested_and_refunded"


def test_money_for_an_order_that_nobody_places_goes_back_in_time(stage: Stage) -> None:
    """And the order may still come, and be paid, after that."""
    stage.pay()
    stage.world.advance(86_400)
    assert stage.refunds() == [("r-1", "refunded_unclaimed")]
    assert stage.place() == "awaiting_payment"
    assert stage.pay(reference="r-1") == "captured_again"
    assert stage.pay(reference="r-2") == "paid"
    assert stage.order().status.value == "confirmed"


def test_nothing_goes_back_twice(stage: Stage) -> None:
    """Early money that went back is not sent back again with what comes later."""
    stage.pay(reference="r-1")
    stage.world.advance(86_400)
    stage.pay(reference="r-2")
    stage.world.send(Cancel(order_id="o-1"))
    assert stage.refunds() == [("r-1", "refunded_unclaimed"), ("r-2", "closed_and_refunded")]


def test_a_second_payment_goes_back(stage: Stage) -> None:
    """Two captures of one order: the first pays it, the second is refunded, once."""
    stage.place()
    assert [stage.pay(), stage.pay(reference="r-2"), stage.pay(reference="r-2")] == [
        "paid",
        "refunded_double",
        "captured_again",
    ]
    assert stage.refunds() == [("r-2", "refunded_double")]
    assert stage.order().status.value == "confirmed"


@pytest.mark.parametrize(
    ("cents", "currency", "outcome"),
    [(499, "EUR", "refunded_underpaid"), (501, "EUR", "refunded_overpaid"), (500, "USD", "refunded_currency")],
)
def test_a_wrong_amount_goes_back_whole_and_the_order_waits(
    stage: Stage, cents: int, currency: str, outcome: str
) -> None:
    """The right amount is still taken."""
    stage.place()
    assert stage.pay(cents, "r-1", currency) == outcome
    assert stage.refunds() == [("r-1", outcome)]
    assert stage.order().status.value == "awaiting_payment"
    assert stage.pay(500, "r-2") == "paid"
    assert stage.order().status.value == "confirmed"


def test_a_reference_with_another_amount_is_told_and_changes_nothing(stage: Stage) -> None:
    """The provider contradicts itself: the first word stands, an operator sees the second."""
    stage.place()
    assert [stage.pay(500), stage.pay(600)] == ["paid", "captured_differently"]
    assert (stage.refunds(), stage.order().status.value) == ([], "confirmed")


def test_a_failure_that_comes_late_undoes_nothing(stage: Stage) -> None:
    """A failed try leaves the order waiting; after the capture the same word is too late."""
    stage.place()
    failed = CaptureFailed(order_id="o-1", reference="r-1", reason="no cover")
    stage.world.send(failed)
    assert stage.payment().outcome is PaymentOutcome.FAILURE_NOTED
    stage.pay()
    stage.world.send(failed)
    assert stage.payment().outcome is PaymentOutcome.FAILURE_TOO_LATE
    assert (stage.payment().status.value, stage.order().status.value) == ("paid", "confirmed")


def test_cancelling_before_the_order_comes_keeps_it_out(stage: Stage) -> None:
    """Out of order: the cancellation is remembered, early money goes back, the order is too late."""
    stage.pay()
    stage.world.send(Cancel(order_id="o-1"))
    assert stage.order().ended_by is OrderOutcome.CANCELLED_BEFORE_PLACED
    assert stage.refunds() == [("r-1", "closed_and_refunded")]
    assert stage.place() == "cancelled"
    assert stage.order().outcome is OrderOutcome.PLACED_TOO_LATE
    assert stage.counts() == (3, 0, 0)


def test_cancelling_while_the_payment_is_awaited_releases_everything(stage: Stage) -> None:
    """And cancelling again, or paying then, has its own word."""
    stage.place("s-1", "s-2")
    stage.world.send(Cancel(order_id="o-1"))
    assert stage.order().ended_by is OrderOutcome.CANCELLED_BY_CUSTOMER
    assert (stage.counts("s-1"), stage.counts("s-2")) == ((3, 0, 0), (3, 0, 0))
    stage.world.send(Cancel(order_id="o-1"))
    assert stage.order().outcome is OrderOutcome.CANCELLED_AGAIN
    assert stage.pay(1000) == "refunded_too_late"
    assert len(stage.world.sent(OrderCancelled)) == 1


def test_cancelling_a_confirmed_order_is_too_late(stage: Stage) -> None:
    """Sold is sold."""
    stage.place()
    stage.pay()
    stage.world.send(Cancel(order_id="o-1"))
    assert (stage.order().status.value, stage.order().outcome.value) == ("confirmed", "cancel_too_late")
    assert (stage.counts(), stage.refunds()) == ((2, 0, 1), [])


def test_a_refused_order_sends_early_money_back(stage: Stage) -> None:
    """An empty order is refused by name; nothing of it stays."""
    stage.pay()
    stage.world.send(Place(order_id="o-1", lines=()))
    assert stage.world.sent(OrderRefused) == [OrderRefused(order_id="o-1", outcome=OrderOutcome.REFUSED_EMPTY)]
    assert stage.refunds() == [("r-1", "closed_and_refunded")]
    stage.world.send(Cancel(order_id="o-1"))
    assert stage.order().outcome is OrderOutcome.ALREADY_REFUSED


def test_stock_answers_after_the_cancellation_and_is_released_again(stage: Stage) -> None:
    """A late `Reserved` is answered by another `Release`, and that changes nothing that was released."""
    stage.place()
    stage.world.send(Cancel(order_id="o-1"))
    stage.world.publish(Reserved(order_id="o-1", sku="s-1", quantity=1), by="stock")
    assert stage.order().outcome is OrderOutcome.RESERVED_TOO_LATE
    assert (stage.stock().outcome.value, stage.counts()) == ("released_again", (3, 0, 0))


def test_stock_answers_twice(stage: Stage) -> None:
    """A second answer, the same or another, changes nothing."""
    stage.place("s-1", "s-2")
    for again, outcome in [
        (Reserved(order_id="o-1", sku="s-1", quantity=1), "reserved_again"),
        (NotReserved(order_id="o-1", sku="s-1", reason=StockRefusal.OUT_OF_STOCK), "stock_contradicted"),
    ]:
        stage.world.publish(again, by="stock")
        assert (stage.order().status.value, stage.order().outcome.value) == ("awaiting_payment", outcome)
    stage.pay(1000)
    stage.world.publish(Sold(order_id="o-1", sku="s-1", quantity=1), by="stock")
    assert (stage.order().status.value, stage.order().outcome.value) == ("confirmed", "sold_again")


def test_an_answer_about_a_sku_that_is_not_of_the_order_is_sent_back(stage: Stage) -> None:
    """Somebody reserved for this order what it never asked for: it is released."""
    stage.place("s-1")
    stage.world.send(Reserve(sku="s-2", order_id="o-1", quantity=2, until=LATER))
    assert stage.order().outcome is OrderOutcome.STRANGER_LINE
    assert stage.counts("s-2") == (3, 0, 0)


def test_releasing_what_was_never_reserved_keeps_a_late_reservation_out(stage: Stage) -> None:
    """The fence: `Release` first, `Reserve` after it reserves nothing, however often it comes."""
    stage.world.send(Release(sku="s-1", order_id="o-1"))
    assert stage.stock().outcome.value == "released_nothing"
    for _ in range(2):
        stage.world.send(Reserve(sku="s-1", order_id="o-1", quantity=1, until=LATER))
        assert (stage.stock().outcome.value, stage.counts()) == ("refused_settled", (3, 0, 0))
    stage.world.send(Release(sku="s-1", order_id="o-1"))
    assert stage.stock().outcome.value == "released_again"


def test_a_reservation_for_an_order_that_waits_no_more_is_refused(stage: Stage) -> None:
    """Also long after the settled reservation is forgotten."""
    stage.world.advance(60)
    stage.world.send(Reserve(sku="s-1", order_id="o-1", quantity=1, until=LATER))
    assert (stage.stock().outcome.value, stage.counts()) == ("refused_overdue", (3, 0, 0))


def test_a_reservation_is_made_once(stage: Stage) -> None:
    """Repeated it is confirmed again; with another quantity it is contradicted, and the first one stands."""
    stage.place()
    stage.world.send(Reserve(sku="s-1", order_id="o-1", quantity=1, until=LATER))
    assert (stage.stock().outcome.value, stage.counts()) == ("reserved_again", (2, 1, 0))
    stage.world.send(Reserve(sku="s-1", order_id="o-1", quantity=2, until=LATER))
    assert (stage.stock().outcome.value, stage.counts()) == ("reserved_differently", (2, 1, 0))
    assert stage.order().status.value == "awaiting_payment"


def test_a_release_never_undoes_a_sale(stage: Stage) -> None:
    """Whoever asks for it is told that it is sold."""
    stage.place()
    stage.pay()
    stage.world.send(Release(sku="s-1", order_id="o-1"))
    assert (stage.stock().outcome.value, stage.counts()) == ("kept_sold", (2, 0, 1))
    assert (stage.order().status.value, stage.order().outcome.value) == ("confirmed", "sold_again")


def test_a_sale_that_fails_ends_the_order_and_returns_the_other_lines_and_the_money(stage: Stage) -> None:
    """Somebody released a line behind the order's back; it was paid then: everything goes back."""
    stage.place("s-1", "s-2")
    stage.world.send(Release(sku="s-2", order_id="o-1"))
    stage.pay(1000)
    assert (stage.order().status.value, stage.order().ended_by) == ("cancelled", OrderOutcome.SALE_FAILED)
    assert (stage.counts("s-1"), stage.counts("s-2")) == ((3, 0, 0), (3, 0, 0))
    assert stage.refunds() == [("r-1", "closed_and_refunded")]


def test_a_sale_without_payment_ends_the_order_and_is_taken_back(stage: Stage) -> None:
    """Somebody sold what was only reserved."""
    stage.place("s-1", "s-2")
    stage.world.send(Sell(sku="s-1", order_id="o-1"))
    assert (stage.order().status.value, stage.order().ended_by) == ("cancelled", OrderOutcome.SOLD_UNASKED)
    assert (stage.counts("s-1"), stage.counts("s-2")) == ((3, 0, 0), (3, 0, 0))
    assert stage.pay(1000) == "refunded_too_late"


def test_an_order_takes_no_other_quantity_than_it_asked_for(stage: Stage) -> None:
    """Somebody reserved more in its name: what is held is not what was ordered, so everything is released."""
    stage.world.send(Reserve(sku="s-1", order_id="o-1", quantity=2, until=LATER))
    assert stage.counts("s-1") == (3, 0, 0)
    stage.place("s-1")
    assert (stage.order().status.value, stage.order().ended_by) == ("cancelled", OrderOutcome.STOCK_REFUSED)
    stage.place("s-2", order_id="o-2")
    stage.world.publish(Reserved(order_id="o-2", sku="s-2", quantity=2), by="stock")
    assert stage.order("o-2").ended_by is OrderOutcome.RESERVED_DIFFERENTLY
    assert stage.counts("s-2") == (3, 0, 0)


def test_an_order_waits_for_stock_only_so_long() -> None:
    """Stock is away: the order ends in time; its answer, when it is back, finds the order waiting no more."""
    with World(SHOP.orders, SHOP.payments, remotes=[STOCK_AWAY]) as world:
        world.send(Place(order_id="o-1", lines=(line("s-1"), line("s-2"))))
        world.publish(Reserved(order_id="o-1", sku="s-1", quantity=1), by="stock")
        assert world.state(SHOP.orders, "o-1").outcome is OrderOutcome.LINE_RESERVED
        world.advance(60)
        assert world.state(SHOP.orders, "o-1").ended_by is OrderOutcome.STOCK_OVERDUE
        assert [release.sku for release in world.sent(Release)] == ["s-1", "s-2"]
        world.publish(Reserved(order_id="o-1", sku="s-2", quantity=1), by="stock")
        assert world.state(SHOP.orders, "o-1").outcome is OrderOutcome.RESERVED_TOO_LATE


def test_the_trail_tells_what_came_of_every_message(stage: Stage) -> None:
    """One row a message, joined to the journal by message id; the trail of an order reads as its story."""
    stage.pay(400)
    stage.place()
    stage.pay(500, "r-2")
    stage.pay(500, "r-3")
    trail = {row[0]: row[2:] for row in stage.world._views.rows_of("order_steps")}
    journal = stage.world.journal(SHOP.orders, "o-1")
    assert [trail[row.message_id] for row in journal] == [
        ("o-1", "Place", "new", "placed", "reserving"),
        ("o-1", "Reserved", "reserving", "all_reserved", "awaiting_payment"),
        ("o-1", "PaymentReceived", "awaiting_payment", "paid", "paid"),
        ("o-1", "Sold", "paid", "confirmed", "confirmed"),
    ]
    money = {row[0]: row[2:] for row in stage.world._views.rows_of("payment_steps")}
    assert [money[row.message_id] for row in stage.world.journal(SHOP.payments, "o-1")] == [
        ("o-1", "Capture", "r-1", "unknown", "captured_early", "unclaimed"),
        ("o-1", "RequestPayment", None, "unclaimed", "requested_and_refunded", "due"),
        ("o-1", "Capture", "r-2", "due", "paid", "paid"),
        ("o-1", "Capture", "r-3", "paid", "refunded_double", "paid"),
    ]
    goods = {row[0]: row[2:] for row in stage.world._views.rows_of("stock_steps")}
    assert [goods[row.message_id] for row in stage.world.journal(SHOP.stock, "s-1")] == [
        ("s-1", None, "Restock", "restocked", 3, 0, 0),
        ("s-1", "o-1", "Reserve", "reserved", 2, 1, 0),
        ("s-1", "o-1", "Sell", "sold", 2, 0, 1),
    ]


def test_a_crash_after_each_step_changes_nothing(stage: Stage) -> None:
    """The worker's memory is dropped three times in an order's life."""
    stage.place("s-1", "s-2")
    stage.world.crash()
    stage.pay(1000)
    stage.world.crash()
    stage.pay(1000, "r-2")
    stage.world.crash()
    assert stage.order().status.value == "confirmed"
    assert stage.refunds() == [("r-2", "refunded_double")]
    assert (stage.counts("s-1"), stage.counts("s-2")) == ((2, 0, 1), (2, 0, 1))
