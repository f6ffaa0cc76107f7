"""What a user may not write: each marked line must be an error to both checkers, and no other line.

The text of the mark must be in both messages: the name of a type is what both say.
"""

from __future__ import annotations

import magnetar.runtime
from magnetar.runtime import Actor, Command, Context, Event, Key, State, Timer, World

public: int = magnetar.runtime.__all__  # E: int


class Place(Command):
    """Asks one order."""

    order_id: Key


class Paid(Event):
    """States a fact about one order."""

    order_id: Key


class Overdue(Timer):
    """Wakes an order."""


class Order(State):
    """One order."""

    status: str = "new"


class Stock(State):
    """Another actor's state."""

    left: int = 0


orders = Actor("orders", Order, publishes=[Paid])
wrong_state = Actor("stock", Place)  # E: Place
wrong_event = Actor("stock", Stock, publishes=[Place])  # E: Place


@orders.handles  # E: Stock
def another_state(stock: Stock, message: Place, context: Context) -> Stock:
    """Takes and returns another actor's state."""
    return stock


@orders.handles  # E: Stock
def another_return(order: Order, message: Place, context: Context) -> Stock:
    """Returns another actor's state."""
    return Stock()


@orders.handles  # E: None
def no_return(order: Order, message: Place, context: Context) -> None:
    """Returns nothing."""


@orders.handles  # E: int
def no_message(order: Order, message: int, context: Context) -> Order:
    """Takes what is no message."""
    return order


@orders.handles
def wrong_acts(order: Order, message: Place, context: Context) -> Order:
    """Uses the wrong way out for each kind of message."""
    context.send(Paid(order_id="o-1"))  # E: Paid
    context.send(Overdue())  # E: Overdue
    context.publish(Place(order_id="o-1"))  # E: Place
    context.schedule(Place(order_id="o-1"), after=1)  # E: Place
    context.schedule(Overdue(), after="1")  # E: float
    context.cancel(Place)  # E: Place
    message.order_id = "o-2"  # E: order_id
    return order


Place()  # E: order_id
Place("o-1")  # E: positional argument
Place(order_id=1)  # E: str
Place(order_id="o-1", sku="tea")  # E: sku


def look(world: World) -> None:
    """Reads a state as what it is not."""
    status: int = world.state(orders, "o-1").status  # E: str
    events: list[Place] = world.sent(Paid)  # E: Place
