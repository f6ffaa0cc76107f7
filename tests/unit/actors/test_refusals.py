"""What is refused or comes too late is told by name, and costs nobody anything."""

from __future__ import annotations

from datetime import timedelta

import pytest

from magnetar.actors import ShopSettings
from magnetar.actors.limits import MOST_CAPTURES, MOST_HOLDS, MOST_LINES, MOST_MONEY, MOST_UNITS
from magnetar.schemas import Money, codec_for
from magnetar.schemas.commerce import (
    Capture,
    CaptureFate,
    ClosePayment,
    Hold,
    Line,
    NotReserved,
    Order,
    OrderRefused,
    OrderStatus,
    Payment,
    PaymentReceived,
    PaymentStatus,
    Place,
    RefundRequested,
    Release,
    Reserve,
    Reserved,
    Return,
    Settled,
    Settlement,
    Stock,
    StockRefusal,
    TakenCapture,
)
from tests.unit.actors.goods import LATER, NOW, Counter, Nowhere, euros, line

WRONG: list[tuple[str, tuple[Line, ...]]] = [
    ("refused_empty", ()),
    ("refused_too_many_lines", tuple(line(f"s-{at}") for at in range(MOST_LINES + 1))),
    ("refused_sku", (line(""),)),
    ("refused_sku", (line("x" * 101),)),
    ("refused_sku", (line("s\x00"),)),
    ("refused_duplicate_sku", (line("s-1"), line("s-2"), line("s-1", 2))),
    ("refused_quantity", (line(quantity=0),)),
    ("refused_quantity", (line(quantity=-3),)),
    ("refused_quantity", (line(quantity=MOST_UNITS + 1),)),
    ("refused_price", (line(cents=-1),)),
    ("refused_price", (line(cents=MOST_MONEY + 1),)),
    ("refused_currency", (line(currency="EURO"),)),
    ("refused_currency", (line(), line("s-2", currency="USD"))),
    ("refused_total", (line(cents=0),)),
    ("refused_total", (line(quantity=2, cents=MOST_MONEY),)),
]


@pytest.mark.parametrize(("outcome", "lines"), WRONG)
def test_a_wrong_order_is_refused_by_name(outcome: str, lines: tuple[Line, ...]) -> None:
    """Nothing is reserved; what was paid early goes back; the front learns why."""
    counter = Counter()
    after, sent, context = counter.handle(counter.shop.orders, Order(), Place(order_id="k-1", lines=lines))
    assert (after.status, after.outcome.value, after.lines) == (OrderStatus.REFUSED, outcome, ())
    assert after.ended_by is after.outcome
    assert sent == [ClosePayment(order_id="k-1"), OrderRefused(order_id="k-1", outcome=after.outcome)]
    assert context.armed == {}


@pytest.mark.parametrize(
    ("lines", "total"),
    [
        (tuple(line(f"s-{at}", cents=3) for at in range(MOST_LINES)), 3 * MOST_LINES),
        ((line(quantity=MOST_UNITS),), 500 * MOST_UNITS),
        ((line(cents=MOST_MONEY),), MOST_MONEY),
        ((line(cents=0), line("x" * 100)), 500),
    ],
)
def test_an_order_at_the_bounds_is_placed(lines: tuple[Line, ...], total: int) -> None:
    """The bounds themselves are allowed, and the total is exact."""
    counter = Counter()
    after, sent, _ = counter.handle(counter.shop.orders, Order(), Place(order_id="k-1", lines=lines))
    assert (after.outcome.value, after.total) == ("placed", euros(total))
    assert [message.sku for message in sent if isinstance(message, Reserve)] == [each.sku for each in lines]


BAD_CAPTURES = [
    ("refused_reference", "", euros(1500)),
    ("refused_reference", "r" * 129, euros(1500)),
    ("refused_reference", "r\n", euros(1500)),
    ("refused_amount", "r-1", euros(0)),
    ("refused_amount", "r-1", euros(-1500)),
    ("refused_amount", "r-1", euros(MOST_MONEY + 1)),
    ("refused_amount", "r-1", Money(1500, "euro")),
]


@pytest.mark.parametrize("status", PaymentStatus)
@pytest.mark.parametrize(("outcome", "reference", "amount"), BAD_CAPTURES)
def test_a_malformed_capture_is_refused_by_name(
    outcome: str, reference: str, amount: Money, status: PaymentStatus
) -> None:
    """What cannot be a capture is neither kept nor sent back."""
    counter = Counter()
    before = Payment(status=status, due=euros(1500))
    after, sent, _ = counter.handle(
        counter.shop.payments, before, Capture(order_id="k-1", reference=reference, amount=amount)
    )
    assert (after.status, after.outcome.value, after.captures, sent) == (status, outcome, (), [])


def test_beyond_the_bound_a_capture_goes_back_and_is_not_remembered() -> None:
    """Money is never dropped: the state stays small, and the reference makes a second refund harmless."""
    counter = Counter()
    kept = tuple(
        TakenCapture(reference=f"x-{at}", amount=euros(1), fate=CaptureFate.REFUNDED) for at in range(MOST_CAPTURES)
    )
    before = Payment(status=PaymentStatus.DUE, due=euros(1500), captures=kept)
    after, sent, _ = counter.handle(
        counter.shop.payments, before, Capture(order_id="k-1", reference="r-1", amount=euros(1500))
    )
    assert after.captures == kept
    assert sent == [RefundRequested(order_id="k-1", reference="r-1", amount=euros(1500), outcome=after.outcome)]
    assert after.outcome.value == "refunded_too_many"


def _reserve(order_id: str = "o-1", quantity: int = 1) -> Reserve:
    return Reserve(sku="k-1", order_id=order_id, quantity=quantity, until=LATER)


def test_a_crowded_sku_takes_no_more_reservations() -> None:
    """The live reservations of a SKU are bounded; the next order is told."""
    counter = Counter()
    crowd = {f"x-{at}": Hold(quantity=1, since=NOW) for at in range(MOST_HOLDS)}
    before = Stock(on_hand=9, reserved=MOST_HOLDS, restocked=MOST_HOLDS + 9, holds=crowd)
    after, sent, _ = counter.handle(counter.shop.stock, before, _reserve())
    assert after.holds == crowd
    assert sent == [NotReserved(order_id="o-1", sku="k-1", reason=StockRefusal.CROWDED)]


def test_a_sku_remembers_so_many_settlements_and_so_long() -> None:
    """Whichever bound is reached first; the oldest go, the youngest stay."""
    counter = Counter(ShopSettings(settled_most=3, settled_memory=60.0, partitions=2))
    stock = Stock(on_hand=9, restocked=9)
    for at in range(5):
        moment = NOW + timedelta(seconds=at)
        stock, _, _ = counter.handle(counter.shop.stock, stock, Release(sku="k-1", order_id=f"o-{at}"), now=moment)
    assert list(stock.settled) == ["o-2", "o-3", "o-4"]
    moment = NOW + timedelta(seconds=63, microseconds=1)
    stock, _, _ = counter.handle(counter.shop.stock, stock, Release(sku="k-1", order_id="o-9"), now=moment)
    assert list(stock.settled) == ["o-4", "o-9"]


def test_a_settlement_that_changes_is_the_youngest() -> None:
    """A sale that is returned is remembered from then on, not from the sale on."""
    counter = Counter()
    sold = {name: Settled(how=Settlement.SOLD, quantity=1, at=NOW) for name in ("o-1", "o-2")}
    before = Stock(on_hand=1, sold=2, restocked=3, settled=sold)
    after, _, _ = counter.handle(counter.shop.stock, before, Return(sku="k-1", order_id="o-1"), now=LATER)
    assert [(name, each.how, each.at) for name, each in after.settled.items()] == [
        ("o-2", Settlement.SOLD, NOW),
        ("o-1", Settlement.RELEASED, LATER),
    ]
    assert (after.on_hand, after.sold) == (2, 1)


def test_a_memory_shorter_than_the_wait_is_no_setting() -> None:
    """A reservation could come back after its end was forgotten and before its order has stopped waiting."""
    with pytest.raises(ValueError, match="must not be shorter than stock_timeout"):
        ShopSettings(stock_timeout=60.0, settled_memory=59.0)


def test_the_fence_of_what_is_forgotten_is_the_order_itself() -> None:
    """Beyond the memory a late reservation is granted; the order, which has ended, sends it back."""
    counter = Counter(ShopSettings(settled_most=1, partitions=2))
    shop = counter.shop
    stock = Stock(on_hand=2, restocked=2)
    for name in ("o-1", "o-2"):
        stock, _, _ = counter.handle(shop.stock, stock, Release(sku="k-1", order_id=name))
    stock, told, _ = counter.handle(shop.stock, stock, _reserve("o-1"))
    assert told == [Reserved(order_id="o-1", sku="k-1", quantity=1)]
    ended = Order(status=OrderStatus.CANCELLED)
    after, sent, _ = counter.handle(shop.orders, ended, Reserved(order_id="o-1", sku="k-1", quantity=1), key="o-1")
    assert (after.outcome.value, sent) == ("reserved_too_late", [Release(sku="k-1", order_id="o-1")])
    stock, _, _ = counter.handle(shop.stock, stock, Release(sku="k-1", order_id="o-1"))
    assert (stock.on_hand, stock.reserved, stock.holds) == (2, 0, {})


@pytest.mark.parametrize("status", [OrderStatus.NEW, OrderStatus.CANCELLED, OrderStatus.REFUSED])
def test_money_for_an_order_that_will_not_be_is_sent_back(status: OrderStatus) -> None:
    """Whoever took it is asked to close the payment, perhaps again."""
    counter = Counter()
    received = PaymentReceived(order_id="k-1", reference="r-1", amount=euros(500))
    after, sent, _ = counter.handle(counter.shop.orders, Order(status=status), received)
    assert (after.status, after.paid_by, sent) == (status, None, [ClosePayment(order_id="k-1")])


def test_a_sku_remembers_in_the_same_order_after_it_was_stored() -> None:
    """What is forgotten first depends on it."""
    counter = Counter()
    stock = Stock(on_hand=9, restocked=9)
    for name in ("o-9", "o-1", "o-5"):
        stock, _, _ = counter.handle(counter.shop.stock, stock, Release(sku="k-1", order_id=name))
    codec = codec_for(Stock)
    stored = codec.decode(codec.encode(stock), codec.schema, Nowhere())
    assert list(stored.settled) == ["o-9", "o-1", "o-5"]
    assert stored == stock
