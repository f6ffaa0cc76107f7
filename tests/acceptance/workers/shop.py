"""The app of these tests: orders that reserve stock, and are told so. Its name is `SHOP_NAME`'s, so each test's own.

Its handlers add up, so that states do not depend on which of two sources came first.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import ClassVar

from magnetar.runtime import Actor, App, Command, Context, Event, Key, Policy, Row, State, replace

HELD, INSIDE = Path("held"), Path("inside")
"""While the first file is there, an order that is to be held is; the second then names the process that holds it."""


class Place(Command):
    """A customer orders so many."""

    order_id: Key
    sku: str
    quantity: int
    held: bool = False


class Reserve(Command):
    """An order asks for so many."""

    sku: Key
    order_id: str
    quantity: int


class Reserved(Event):
    """So many are the order's."""

    order_id: Key
    quantity: int


class Order(State):
    """How often it was placed, what was ordered, and what of that is reserved."""

    placed: int = 0
    ordered: int = 0
    reserved: int = 0


class Stock(State):
    """How often it was asked, and what is reserved in all."""

    asked: int = 0
    reserved: int = 0


class Booking(Row):
    """One order, in the application's own table."""

    __table__: ClassVar[str] = "bookings"
    order_id: str
    quantity: int


orders = Actor("orders", Order, rows=[Booking], policy=Policy(partitions=4))
stock = Actor("stock", Stock, publishes=[Reserved], policy=Policy(partitions=4))


@orders.handles
def place(order: Order, message: Place, context: Context) -> Order:
    """Book it, and ask for stock."""
    while message.held and HELD.exists():
        mine = INSIDE.with_suffix(f".{os.getpid()}")
        mine.write_text(str(os.getpid()), encoding="utf-8")
        mine.replace(INSIDE)  # at once: who looks on never reads half of it
        time.sleep(0.01)
    context.record(Booking(order_id=context.key, quantity=message.quantity))
    context.send(Reserve(sku=message.sku, order_id=context.key, quantity=message.quantity))
    return replace(order, placed=order.placed + 1, ordered=order.ordered + message.quantity)


@stock.handles
def reserve(stock: Stock, message: Reserve, context: Context) -> Stock:
    """There is always enough."""
    context.publish(Reserved(order_id=message.order_id, quantity=message.quantity))
    return replace(stock, asked=stock.asked + 1, reserved=stock.reserved + message.quantity)


@orders.handles
def reserved(order: Order, message: Reserved, context: Context) -> Order:
    """Stock has answered."""
    return replace(order, reserved=order.reserved + message.quantity)


app = App(os.environ.get("SHOP_NAME", "shop"), orders, stock)
