"""A small app that uses everything the engine offers, made so that what happens twice or never is seen.

Orders reserve stock, wait for a payment, remind, and are cancelled when nobody pays. Counters that must stay at
zero or one show an effect that came twice; rows of its own tell what was paid and refunded.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from magnetar.runtime import Actor, App, Command, Context, Event, Key, Policy, Row, State, Timer, replace

if TYPE_CHECKING:
    from magnetar.runtime.wiring import Wiring

STOCK = 14
"""What each article has at first: not enough for everybody."""

REMINDERS = 2


class Place(Command):
    """Somebody orders; `patience` seconds later it is cancelled unless it was paid."""

    order_id: Key
    sku: str
    quantity: int
    patience: float


class Pay(Command):
    """A payment came."""

    order_id: Key
    amount: int


class Ask(Command):
    """Somebody asks how the order stands."""

    order_id: Key


class Reserve(Command):
    """Put goods aside for an order."""

    sku: Key
    order_id: str
    quantity: int


class Release(Command):
    """Give them back."""

    sku: Key
    order_id: str


class Reserved(Event):
    """Goods were put aside."""

    order_id: Key
    sku: str


class OutOfStock(Event):
    """There were not enough."""

    order_id: Key
    sku: str


class Released(Event):
    """Goods were given back."""

    order_id: Key
    sku: str


class Overdue(Timer):
    """Nobody paid in time."""


class Remind(Timer):
    """It is time to remind."""

    turn: int = 1


class Booking(Row):
    """A payment that was kept or given back."""

    __table__ = "bookings"
    order_id: str
    kind: str
    amount: int


class Order(State):
    """One order. `asked` and `answered` count its reservations and their outcomes."""

    status: str = "new"
    sku: str = ""
    quantity: int = 0
    paid: int = 0
    kept: int = 0
    refunded: int = 0
    reminders: int = 0
    asked: int = 0
    answered: int = 0


class Stock(State):
    """One article. `repeats` counts reservations that came again, which must not be."""

    left: int = STOCK
    held: Mapping[str, int] = {}
    repeats: int = 0


class Tally(State):
    """What the public events say of one order."""

    reserved: int = 0
    refused: int = 0
    released: int = 0


def _place(order: Order, message: Place, context: Context) -> Order:
    if order.status != "new":
        return order
    context.send(Reserve(sku=message.sku, order_id=context.key, quantity=message.quantity))
    context.schedule(Overdue(), after=message.patience)
    context.schedule(Remind(), after=message.patience / 3)
    return replace(order, status="placed", sku=message.sku, quantity=message.quantity, asked=order.asked + 1)


def _pay(order: Order, message: Pay, context: Context) -> Order:
    order = replace(order, paid=order.paid + message.amount)
    if order.kept or order.status in {"refused", "cancelled"}:
        return _refund(order, message.amount, context)
    context.record(Booking(order_id=context.key, kind="kept", amount=message.amount))
    order = replace(order, kept=message.amount)
    return _confirm(order, context) if order.status == "reserved" else order


def _confirm(order: Order, context: Context) -> Order:
    context.cancel(Overdue)
    context.cancel(Remind)
    return replace(order, status="confirmed")


def _refund(order: Order, amount: int, context: Context) -> Order:
    context.record(Booking(order_id=context.key, kind="refunded", amount=amount))
    return replace(order, refunded=order.refunded + amount)


def _give_back(order: Order, context: Context) -> Order:
    """What was kept is kept no longer: two rows, of which one without the other is wrong."""
    if not order.kept:
        return order
    context.record(Booking(order_id=context.key, kind="kept", amount=-order.kept))
    return _refund(replace(order, kept=0), order.kept, context)


def _ask(order: Order, message: Ask, context: Context) -> Order:  # noqa: ARG001 - a handler has three parameters
    return order  # and gets it for an answer


def _reserved(order: Order, message: Reserved, context: Context) -> Order:
    order = replace(order, answered=order.answered + 1)
    if order.status == "cancelled":
        context.send(Release(sku=message.sku, order_id=context.key))
        return order
    order = replace(order, status="reserved")
    return _confirm(order, context) if order.kept else order


def _out_of_stock(order: Order, message: OutOfStock, context: Context) -> Order:  # noqa: ARG001
    order = replace(order, answered=order.answered + 1)
    if order.status == "cancelled":
        return order
    context.cancel(Overdue)
    context.cancel(Remind)
    return _give_back(replace(order, status="refused"), context)


def _overdue(order: Order, message: Overdue, context: Context) -> Order:  # noqa: ARG001
    context.cancel(Remind)
    if order.status == "reserved":
        context.send(Release(sku=order.sku, order_id=context.key))
    return _give_back(replace(order, status="cancelled"), context)


def _remind(order: Order, message: Remind, context: Context) -> Order:
    if message.turn < REMINDERS:
        context.schedule(Remind(turn=message.turn + 1), after=1.0)
    return replace(order, reminders=order.reminders + 1)


def _reserve(stock: Stock, message: Reserve, context: Context) -> Stock:
    if message.order_id in stock.held:
        return replace(stock, repeats=stock.repeats + 1)
    if stock.left < message.quantity:
        context.publish(OutOfStock(order_id=message.order_id, sku=context.key))
        return stock
    context.publish(Reserved(order_id=message.order_id, sku=context.key))
    held = {**stock.held, message.order_id: message.quantity}
    return replace(stock, left=stock.left - message.quantity, held=held)


def _release(stock: Stock, message: Release, context: Context) -> Stock:
    if message.order_id not in stock.held:
        return replace(stock, repeats=stock.repeats + 1)
    context.publish(Released(order_id=message.order_id, sku=context.key))
    held = {order: quantity for order, quantity in stock.held.items() if order != message.order_id}
    return replace(stock, left=stock.left + stock.held[message.order_id], held=held)


def _tally_reserved(tally: Tally, message: Reserved, context: Context) -> Tally:  # noqa: ARG001
    return replace(tally, reserved=tally.reserved + 1)


def _tally_refused(tally: Tally, message: OutOfStock, context: Context) -> Tally:  # noqa: ARG001
    return replace(tally, refused=tally.refused + 1)


def _tally_released(tally: Tally, message: Released, context: Context) -> Tally:  # noqa: ARG001
    return replace(tally, released=tally.released + 1)


@cache
def warehouse(partitions: int) -> Wiring:
    """The app, checked, with so many partitions an actor: orders, stock, and a tally of the public events."""
    policy = Policy(partitions=partitions)
    orders = Actor("orders", Order, rows=[Booking], policy=policy)
    stock = Actor("stock", Stock, publishes=[Reserved, OutOfStock, Released], policy=policy)
    tallies = Actor("tallies", Tally, policy=policy)
    for order in (_place, _pay, _ask, _reserved, _out_of_stock, _overdue, _remind):
        orders.handlers.append(order)
    for article in (_reserve, _release):
        stock.handlers.append(article)
    for tally in (_tally_reserved, _tally_refused, _tally_released):
        tallies.handlers.append(tally)
    return App("warehouse", orders, stock, tallies).wire()
