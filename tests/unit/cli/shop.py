"""A small app: an order that reserves stock and waits for a payment, with every kind of deed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from magnetar.runtime import Actor, App, Command, Context, Digits, Event, Key, Record, Remote, State, Timer, replace


class Line(Record):
    """One line of an order."""

    sku: str
    quantity: int = 1


class Place(Command):
    """Asks for an order."""

    order_id: Key
    lines: tuple[Line, ...] = ()
    total: Annotated[Decimal, Digits(precision=12, scale=2)] = Decimal("0.00")
    until: datetime | None = None


class Pay(Command):
    """Pays an order."""

    order_id: Key


class Reserve(Command):
    """Asks for stock."""

    sku: Key
    order_id: str


class Mail(Command):
    """Is taken elsewhere."""

    address: Key


class Captured(Event):
    """Is published elsewhere."""

    order_id: Key


class Placed(Event):
    """An order was placed."""

    order_id: Key


class Overdue(Timer):
    """An order was not paid."""


class Order(State):
    """An order."""

    status: str = "new"
    total: Annotated[Decimal, Digits(precision=12, scale=2)] = Decimal("0.00")


class Stock(State):
    """The stock of one item."""

    left: int = 10


orders = Actor("orders", Order, publishes=[Placed])
stock = Actor("stock", Stock)


@orders.handles
def place(order: Order, message: Place, context: Context) -> Order:
    """Reserve, tell, wait."""
    for line in message.lines:
        context.send(Reserve(sku=line.sku, order_id=context.key))
    context.publish(Placed(order_id=context.key))
    context.schedule(Overdue(), after=1800)
    return replace(order, status="placed", total=message.total)


@orders.handles
def pay(order: Order, message: Pay, context: Context) -> Order:
    """Stop waiting, write a letter."""
    context.cancel(Overdue)
    context.send(Mail(address=message.order_id))
    return replace(order, status="paid")


@orders.handles
def captured(order: Order, message: Captured, context: Context) -> Order:
    """As if paid."""
    return replace(order, status="captured")


@orders.handles
def overdue(order: Order, message: Overdue, context: Context) -> Order:
    """Give up."""
    return replace(order, status="cancelled")


@stock.handles
def reserve(stock: Stock, message: Reserve, context: Context) -> Stock:
    """One less."""
    return replace(stock, left=stock.left - 1)


app = App(
    "shop",
    orders,
    stock,
    remotes=[Remote("mail", takes=[Mail]), Remote("payments", publishes=[Captured])],
)
