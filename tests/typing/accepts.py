"""What a user may write: both checkers must be content with every line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

import magnetar.runtime
from magnetar.runtime import Actor, App, Command, Context, Event, Key, Remote, State, Timer, World, replace

public: list[str] = list(magnetar.runtime.__all__)


class Place(Command):
    """Asks one order."""

    order_id: Key
    quantity: int = 1


class Mail(Command):
    """Asks a service that lives elsewhere."""

    address: Key


class Paid(Event):
    """States a fact about one order."""

    order_id: Key


class Overdue(Timer):
    """Wakes an order."""


class Order(State):
    """One order."""

    status: str = "new"


orders = Actor("orders", Order, publishes=[Paid])
remote = Remote("mail", takes=[Mail])
app = App("shop", orders, remotes=[remote])


@orders.handles
def place(order: Order, message: Place, context: Context) -> Order:
    """Does everything that a handler may."""
    assert_type(message.order_id, str)
    context.send(Mail(address=context.key))
    context.publish(Paid(order_id=context.key))
    context.schedule(Overdue(), after=1800)
    context.schedule(Overdue(), at=datetime(2030, 1, 1, tzinfo=UTC), name="deadline")
    context.cancel(Overdue)
    context.cancel("deadline")
    return replace(order, status="placed")


@orders.handles
def overdue(order: Order, message: Overdue, context: Context) -> Order:
    """A timer is handled like any message."""
    return order


def look(world: World) -> None:
    """A test sees the types that were declared."""
    assert_type(world.state(orders, "o-1"), Order)
    assert_type(world.sent(Paid), list[Paid])
    assert_type(place(Order(), Place(order_id="o-1", quantity=2), _context()), Order)


def _context() -> Context:
    raise NotImplementedError
