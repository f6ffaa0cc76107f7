"""Contracts of actor `orders`: one entity per order id."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated

from magnetar.schemas.contracts import Command, Doc, Event, Key, Money, Record, State, Timer

NAMESPACE = "magnetar.orders"


class OrderStatus(enum.Enum):
    """Where an order stands. The last three are final."""

    __namespace__ = NAMESPACE

    NEW = "new"
    RESERVING = "reserving"
    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    REFUSED = "refused"


class OrderOutcome(enum.Enum):
    """What came of one message that an order was given. A symbol unknown to an older reader is read as `none`."""

    __namespace__ = NAMESPACE

    NONE = "none"
    # asked by the customer
    PLACED = "placed"
    PLACED_AGAIN = "placed_again"
    PLACED_DIFFERENTLY = "placed_differently"
    PLACED_TOO_LATE = "placed_too_late"
    REFUSED_EMPTY = "refused_empty"
    REFUSED_TOO_MANY_LINES = "refused_too_many_lines"
    REFUSED_SKU = "refused_sku"
    REFUSED_DUPLICATE_SKU = "refused_duplicate_sku"
    REFUSED_QUANTITY = "refused_quantity"
    REFUSED_PRICE = "refused_price"
    REFUSED_CURRENCY = "refused_currency"
    REFUSED_TOTAL = "refused_total"
    ALREADY_REFUSED = "already_refused"
    CANCELLED_BY_CUSTOMER = "cancelled_by_customer"
    CANCELLED_BEFORE_PLACED = "cancelled_before_placed"
    CANCELLED_AGAIN = "cancelled_again"
    CANCEL_TOO_LATE = "cancel_too_late"
    # told by stock
    LINE_RESERVED = "line_reserved"
    ALL_RESERVED = "all_reserved"
    ALL_RESERVED_AND_PAID = "all_reserved_and_paid"
    RESERVED_AGAIN = "reserved_again"
    RESERVED_DIFFERENTLY = "reserved_differently"
    RESERVED_TOO_LATE = "reserved_too_late"
    OUT_OF_STOCK = "out_of_stock"
    STOCK_REFUSED = "stock_refused"
    STOCK_CONTRADICTED = "stock_contradicted"
    LINE_SOLD = "line_sold"
    CONFIRMED = "confirmed"
    SOLD_AGAIN = "sold_again"
    SOLD_UNASKED = "sold_unasked"
    SOLD_DIFFERENTLY = "sold_differently"
    SOLD_TOO_LATE = "sold_too_late"
    SALE_FAILED = "sale_failed"
    STRANGER_LINE = "stranger_line"
    ANSWERED_TOO_LATE = "answered_too_late"
    # told by payments
    PAID = "paid"
    PAID_EARLY = "paid_early"
    PAID_AGAIN = "paid_again"
    PAID_TOO_LATE = "paid_too_late"
    # time
    STOCK_OVERDUE = "stock_overdue"
    PAYMENT_OVERDUE = "payment_overdue"
    TIMER_TOO_LATE = "timer_too_late"
    # about an order that nobody placed
    NEVER_PLACED = "never_placed"


class LineStock(enum.Enum):
    """What stock has answered for one line of an order."""

    __namespace__ = NAMESPACE

    ASKED = "asked"
    RESERVED = "reserved"
    REFUSED = "refused"
    SOLD = "sold"


class Line(Record):
    """What a customer wants of one SKU."""

    __namespace__ = NAMESPACE

    sku: Annotated[str, Doc("stock keeping unit, 1 to 100 printable characters, once in an order")]
    quantity: Annotated[int, Doc("units, 1 to 10,000")]
    price: Annotated[Money, Doc("price of one unit, not negative; all lines in one currency")]


class OrderLine(Record):
    """A line of a placed order, and how far stock has come with it."""

    __namespace__ = NAMESPACE

    line: Annotated[Line, Doc("as it was placed")]
    stock: Annotated[LineStock, Doc("what stock has answered")] = LineStock.ASKED


class Place(Command):
    """A customer orders these lines. An order id is used once."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("names the order, chosen by the shop's front")]
    lines: Annotated[tuple[Line, ...], Doc("1 to 100 lines")]


class Cancel(Command):
    """The customer does not want the order any more; heard until it is paid."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("which order")]


class OrderConfirmed(Event):
    """The order is paid and every line is sold: it can be shipped."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("which order")]
    total: Annotated[Money, Doc("what was paid for it")]


class OrderCancelled(Event):
    """The order has ended without a sale; whatever was reserved or paid is on its way back."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("which order")]
    outcome: Annotated[OrderOutcome, Doc("why: the outcome that ended it")]


class OrderRefused(Event):
    """The order was wrong as it was placed; nothing was reserved."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("which order")]
    outcome: Annotated[OrderOutcome, Doc("why: the outcome that ended it")]


class StockOverdue(Timer):
    """Stock has not answered for every line in time."""

    __namespace__ = NAMESPACE


class PaymentOverdue(Timer):
    """The order was not paid in time."""

    __namespace__ = NAMESPACE


class Order(State):
    """What is known of one order."""

    __namespace__ = NAMESPACE

    status: Annotated[OrderStatus, Doc("where it stands")] = OrderStatus.NEW
    outcome: Annotated[OrderOutcome, Doc("what came of the last message")] = OrderOutcome.NONE
    ended_by: Annotated[OrderOutcome, Doc("the outcome that confirmed, cancelled or refused it")] = OrderOutcome.NONE
    lines: Annotated[tuple[OrderLine, ...], Doc("what was placed; empty until then and when refused")] = ()
    total: Annotated[Money | None, Doc("sum over the lines; null until placed")] = None
    placed_at: Annotated[datetime | None, Doc("when it was placed; null until then")] = None
    paid_by: Annotated[str | None, Doc("provider's reference of the capture that paid it")] = None
