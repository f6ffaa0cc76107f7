"""Every message in every status: one outcome, one row that says so, no exception; and no row of a table is idle."""

from __future__ import annotations

import enum
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from magnetar.actors import ORDER_LIFECYCLE, PAYMENT_LIFECYCLE, STOCK_LIFECYCLE
from magnetar.actors.charging import CHARGE_LIFECYCLE, REFUND_LIFECYCLE
from magnetar.actors.limits import (
    MOST_CAPTURES,
    MOST_HOLDS,
    MOST_LINES,
    MOST_MONEY,
    MOST_RESTOCKED,
    MOST_STOCK,
    MOST_UNITS,
)
from magnetar.actors.ordering import rules as ordering
from magnetar.actors.paying import rules as paying
from magnetar.actors.stocking import rules as stocking
from magnetar.schemas import Money
from magnetar.schemas.commerce import (
    Cancel,
    Capture,
    CaptureFailed,
    CaptureFate,
    ClosePayment,
    Hold,
    LineStock,
    NotReserved,
    NotSold,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentOverdue,
    PaymentReceived,
    PaymentStatus,
    Place,
    Release,
    RequestPayment,
    Reserve,
    Reserved,
    Restock,
    Return,
    Sell,
    Settled,
    Settlement,
    Sold,
    Stock,
    StockOverdue,
    StockRefusal,
    TakenCapture,
    Unclaimed,
)
from tests.unit.actors.goods import LATER, NOW, Counter, euros, line, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from magnetar.actors import Lifecycle
    from magnetar.schemas import Message, State

LONG = "x" * 600
BIG = 1 << 62


def orders() -> Iterator[Order]:
    """Orders of no, one and two lines in every status, also such as no history leads to."""
    for status, paid in product(OrderStatus, (None, "r-1")):
        yield Order(status=status, paid_by=paid)
        for stocks in [*product(LineStock), *product(LineStock, repeat=2)]:
            lines = tuple(OrderLine(line=line(f"s-{at}", at), stock=stock) for at, stock in enumerate(stocks, 1))
            yield Order(status=status, paid_by=paid, lines=lines, total=euros(1500), placed_at=NOW)


def order_messages() -> Iterator[ordering.OrderMessage]:
    """What an order may be told, in all the ways that make a difference."""
    yield from (place(*lines) for lines in (
        (line("s-1", 1), line("s-2", 2)), (line("s-1", 1),), (line("s-9"),), (line(""),), (line(LONG),), (line("s\n"),),
        (line(), line()), (line(quantity=0),), (line(quantity=MOST_UNITS + 1),), (line(cents=-1),),
        (line(cents=MOST_MONEY + 1),), (line(quantity=BIG, cents=BIG),), (line(), line("s-2", currency="USD")),
        (line(currency="eur"),), (line(currency=""),), (line(cents=0),), (line(quantity=2, cents=MOST_MONEY),),
        tuple(line(f"s-{at}") for at in range(MOST_LINES + 1)),
    ))  # fmt: skip
    yield Place(order_id="o-1", lines=())
    yield Cancel(order_id="o-1")
    for sku in ("s-1", "s-2", "s-9", "", LONG):
        yield NotSold(order_id="o-1", sku=sku)
        yield from (kind(order_id="o-1", sku=sku, quantity=many) for kind in (Reserved, Sold) for many in (1, 2, -1))
        yield from (NotReserved(order_id="o-1", sku=sku, reason=reason) for reason in StockRefusal)
    yield PaymentReceived(order_id="o-1", reference="r-2", amount=euros(1500))
    yield from (StockOverdue(), PaymentOverdue())


def stocks() -> Iterator[Stock]:
    """A SKU that knows nothing, holds, has sold, has released, or is at a bound."""
    yield Stock()
    yield Stock(on_hand=5, restocked=5)
    yield Stock(on_hand=3, reserved=2, restocked=5, holds={"o-1": Hold(quantity=2, since=NOW)})
    yield Stock(on_hand=3, sold=2, restocked=5, settled={"o-1": Settled(how=Settlement.SOLD, quantity=2, at=NOW)})
    yield Stock(on_hand=5, restocked=5, settled={"o-1": Settled(how=Settlement.RELEASED, quantity=0, at=NOW)})
    yield Stock(on_hand=MOST_STOCK, restocked=MOST_STOCK)
    crowd = {f"x-{at}": Hold(quantity=1, since=NOW) for at in range(MOST_HOLDS)}
    yield Stock(on_hand=5, reserved=MOST_HOLDS, restocked=MOST_HOLDS + 5, holds=crowd)


def stock_messages() -> Iterator[stocking.StockMessage]:
    """What a SKU may be told."""
    yield from (
        Restock(sku="k-1", quantity=quantity) for quantity in (1, 0, -1, MOST_RESTOCKED, MOST_RESTOCKED + 1, BIG)
    )
    for order_id in ("o-1", "", LONG, "o\n"):
        for quantity, until in product((1, 2, 6, 0, -1, BIG), (NOW, LATER)):
            yield Reserve(sku="k-1", order_id=order_id, quantity=quantity, until=until)
        yield from (kind(sku="k-1", order_id=order_id) for kind in (Sell, Release, Return))


def payments() -> Iterator[Payment]:
    """Payments in every status with no, one, two and too many captures, also such as no history leads to."""
    for status, due in product(PaymentStatus, (None, euros(1500))):
        yield Payment(status=status, due=due)
        for fates, cents in product([*product(CaptureFate), *product(CaptureFate, repeat=2)], (1500, 1400)):
            captures = tuple(
                TakenCapture(reference=f"r-{at}", amount=euros(cents), fate=fate) for at, fate in enumerate(fates, 1)
            )
            yield Payment(status=status, due=due, captures=captures)
        many = [
            TakenCapture(reference=f"x-{at}", amount=euros(1), fate=CaptureFate.REFUNDED) for at in range(MOST_CAPTURES)
        ]
        yield Payment(status=status, due=due, captures=tuple(many))


def payment_messages() -> Iterator[paying.PaymentMessage]:
    """What a payment may be told."""
    yield from (RequestPayment(order_id="k-1", due=due) for due in (euros(1500), euros(1600), Money(-BIG, "")))
    yield from (ClosePayment(order_id="k-1"), Unclaimed())
    for reference in ("r-1", "r-9", "", LONG, "r\n"):
        yield CaptureFailed(order_id="k-1", reference=reference, reason="no cover")
        for amount in (
            *map(euros, (1500, 1400, 1600, 0, -1, MOST_MONEY + 1)),
            Money(1500, "USD"),
            Money(1500, "usd"),
            Money(1500, ""),
        ):
            yield Capture(order_id="k-1", reference=reference, amount=amount)


CASES: dict[str, tuple[Callable[[], Iterable[State]], Callable[[], Iterable[Message]]]] = {
    "orders": (orders, order_messages),
    "stock": (stocks, stock_messages),
    "payments": (payments, payment_messages),
}
LIVES: dict[str, Lifecycle[Any, Any, Any, Any, Any]] = {
    "orders": ORDER_LIFECYCLE,
    "stock": STOCK_LIFECYCLE,
    "payments": PAYMENT_LIFECYCLE,
}


@pytest.mark.parametrize("name", CASES)
def test_every_message_has_one_outcome_in_every_status(name: str) -> None:
    """The handler raises nothing, records one row, and the row's outcome is the state's, and is not `none`."""
    counter = Counter()
    actor = getattr(counter.shop, name)
    states, messages = CASES[name]
    for state, message in product(list(states()), list(messages())):
        after, _, context = counter.handle(actor, state, message)
        [row] = map(structs.asdict, context.rows)
        assert row["outcome"] is after.outcome, (state, message)
        assert row["outcome"].value != "none"
        assert row["message"] == type(message).__name__


def _taken() -> Iterator[tuple[enum.Enum, type[Message], object]]:
    for order, to_order in product(list(orders()), list(order_messages())):
        yield order.status, type(to_order), ordering.decide(order, to_order)
    for payment, to_payment in product(list(payments()), list(payment_messages())):
        yield payment.status, type(to_payment), paying.decide(payment, to_payment)
    for stock, to_stock in product(list(stocks()), list(stock_messages())):
        status = stocking.status_of(stock, getattr(to_stock, "order_id", "nobody"))
        yield status, type(to_stock), stocking.decide(stock, to_stock, NOW)


def test_every_transition_is_taken_by_something() -> None:
    """No row of a table is dead: a transition that nothing takes would be a promise that nobody keeps."""
    taken = set(_taken())
    idle = [
        f"{life.name}: {status.value}, {kind.__name__}: {transition.outcome.value}"
        for life in LIVES.values()
        for status, kind, transition in life.transitions()
        if (status, kind, transition) not in taken and not _is_for_strangers(status, kind)
    ]
    assert idle == []


def _is_for_strangers(status: enum.Enum, kind: type[Message]) -> bool:
    """A delivery is of no reservation: it is looked up under `unknown` alone."""
    return kind is Restock and status.value != "unknown"


@pytest.mark.parametrize("name", CASES)
def test_every_handler_is_in_the_table_and_the_other_way_round(name: str) -> None:
    """What the actor handles is what its table declares."""
    assert set(Counter().wiring.actors[name].handlers) == set(LIVES[name].kinds)


def test_every_outcome_is_used() -> None:
    """An outcome that no transition has would be a word that nobody ever reads."""
    lives: list[Lifecycle[Any, Any, Any, Any, Any]] = [*LIVES.values(), CHARGE_LIFECYCLE, REFUND_LIFECYCLE]
    used: set[enum.Enum] = {transition.outcome for life in lives for _, _, transition in life.transitions()}
    for words in {type(outcome) for outcome in used}:
        assert [outcome.value for outcome in words if outcome not in used] == ["none"]


def test_a_reserve_is_overdue_from_the_very_moment() -> None:
    """The order's time-out and stock's refusal are the same instant."""
    stock, reserve = Stock(on_hand=1, restocked=1), Reserve(sku="k-1", order_id="o-1", quantity=1, until=LATER)
    outcomes = [stocking.decide(stock, reserve, LATER + timedelta(microseconds=late)).outcome.value for late in (-1, 0)]
    assert outcomes == ["reserved", "refused_overdue"]
