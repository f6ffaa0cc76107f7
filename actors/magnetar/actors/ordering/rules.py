"""What an order decides, and what becomes of it: pure functions of (order, message)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

from magnetar.actors.limits import MOST_LINES, MOST_MONEY, MOST_UNITS, SKU_LIMIT, is_currency, is_name
from magnetar.actors.ordering.table import ORDER_LIFECYCLE, OrderFact, OrderNote, OrderTransition
from magnetar.schemas import Money, replace
from magnetar.schemas.commerce import (
    Cancel,
    Line,
    LineStock,
    NotReserved,
    NotSold,
    Order,
    OrderLine,
    OrderStatus,
    PaymentOverdue,
    PaymentReceived,
    Place,
    Reserved,
    Sold,
    StockOverdue,
    StockRefusal,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

StockAnswer: TypeAlias = Reserved | NotReserved | Sold | NotSold
OrderMessage: TypeAlias = Place | Cancel | StockAnswer | PaymentReceived | StockOverdue | PaymentOverdue

_FIRST_ANSWERS = (Reserved, NotReserved)
ENDS = frozenset({OrderStatus.CONFIRMED, OrderStatus.CANCELLED, OrderStatus.REFUSED})


def decide(order: Order, message: OrderMessage) -> OrderTransition:
    """What comes of a message: always exactly one transition of the table, whatever the message holds."""
    return ORDER_LIFECYCLE.choose(order.status, type(message), facts(order, message))


def evolve(order: Order, message: OrderMessage, taken: OrderTransition, now: datetime) -> Order:
    """The order after a decision. `now` is the message's time."""
    noted = order if taken.notes is None else _noted(order, message, taken.notes, now)
    status = taken.to or order.status
    ended = taken.outcome if status in ENDS and order.status not in ENDS else order.ended_by
    return replace(noted, status=status, outcome=taken.outcome, ended_by=ended)


def facts(order: Order, message: OrderMessage) -> frozenset[OrderFact]:
    """What is true of a message, seen from the order."""
    match message:
        case Place():
            return frozenset(_facts_of_place(order, message))
        case Reserved() | NotReserved() | Sold() | NotSold():
            return frozenset(_facts_of_answer(order, message))
        case PaymentReceived():
            return frozenset() if order.paid_by is None else frozenset({OrderFact.PAID})
        case Cancel() | StockOverdue() | PaymentOverdue():
            return frozenset()
        case _:
            assert_never(message)


def total_of(lines: tuple[Line, ...]) -> int:
    """What the lines cost together, in minor units."""
    return sum(line.quantity * line.price.amount for line in lines)


def line_of(order: Order, sku: str) -> OrderLine | None:
    """The order's line of a SKU, or None."""
    return next((each for each in order.lines if each.line.sku == sku), None)


def _facts_of_place(order: Order, place: Place) -> Iterator[OrderFact]:
    if order.placed_at is None:
        yield OrderFact.NEVER_PLACED
    if place.lines == tuple(each.line for each in order.lines):
        yield OrderFact.SAME_LINES
    if not place.lines:
        yield OrderFact.NO_LINES
    if len(place.lines) > MOST_LINES:
        yield OrderFact.TOO_MANY_LINES
        return
    yield from _faults_of_lines(place.lines)


def _faults_of_lines(lines: tuple[Line, ...]) -> Iterator[OrderFact]:
    if not all(is_name(line.sku, SKU_LIMIT) for line in lines):
        yield OrderFact.BAD_SKU
    if len({line.sku for line in lines}) < len(lines):
        yield OrderFact.DUPLICATE_SKU
    if not all(0 < line.quantity <= MOST_UNITS for line in lines):
        yield OrderFact.BAD_QUANTITY
    if not all(0 <= line.price.amount <= MOST_MONEY for line in lines):
        yield OrderFact.BAD_PRICE
    if len({line.price.currency for line in lines}) > 1 or not all(is_currency(line.price.currency) for line in lines):
        yield OrderFact.BAD_CURRENCY
    if not 0 < total_of(lines) <= MOST_MONEY:
        yield OrderFact.BAD_TOTAL


def _facts_of_answer(order: Order, answer: StockAnswer) -> Iterator[OrderFact]:
    if not is_name(answer.sku):
        yield OrderFact.BAD_SKU
    line = line_of(order, answer.sku)
    if line is None:
        yield OrderFact.STRANGER
        return
    if isinstance(answer, Reserved | Sold) and answer.quantity != line.line.quantity:
        yield OrderFact.OTHER_QUANTITY
    if isinstance(answer, NotReserved) and answer.reason is StockRefusal.OUT_OF_STOCK:
        yield OrderFact.SOLD_OUT
    yield from _progress(order, line, LineStock.ASKED if isinstance(answer, _FIRST_ANSWERS) else LineStock.RESERVED)


def _progress(order: Order, line: OrderLine, awaited: LineStock) -> Iterator[OrderFact]:
    """What an answer means to the order that ends a line's waiting in `awaited`."""
    if line.stock is LineStock.SOLD:
        yield OrderFact.LINE_SOLD
    if line.stock is not awaited:
        yield OrderFact.REPEATED
    if not any(each.stock is awaited for each in order.lines if each is not line):
        yield OrderFact.LAST
        if order.paid_by is not None:
            yield OrderFact.LAST_AND_PAID


def _noted(order: Order, message: OrderMessage, note: OrderNote, now: datetime) -> Order:
    match note, message:
        case OrderNote.LINES, Place(lines=lines):
            total = Money(total_of(lines), lines[0].price.currency)
            return replace(order, lines=tuple(OrderLine(line=line) for line in lines), total=total, placed_at=now)
        case OrderNote.PAYMENT, PaymentReceived(reference=reference):
            return replace(order, paid_by=reference)
        case OrderNote.LINE_RESERVED, Reserved(sku=sku):
            return _marked(order, sku, LineStock.RESERVED)
        case OrderNote.LINE_REFUSED, NotReserved(sku=sku):
            return _marked(order, sku, LineStock.REFUSED)
        case OrderNote.LINE_SOLD, Sold(sku=sku):
            return _marked(order, sku, LineStock.SOLD)
        case _:
            text = f"the table notes {note.name} of {type(message).__name__}, which does not say it"
            raise TypeError(text)


def _marked(order: Order, sku: str, stock: LineStock) -> Order:
    lines = tuple(replace(each, stock=stock) if each.line.sku == sku else each for each in order.lines)
    return replace(order, lines=lines)
