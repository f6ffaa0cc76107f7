"""What a user may not write: each marked line must be an error to both checkers, and no other line.

The text of the mark must be in both messages: the name of a type is what both say.
"""

from __future__ import annotations

import magnetar.runtime
from magnetar.runtime import (
    Actor,
    Call,
    Client,
    Command,
    Context,
    Dependency,
    Effect,
    Event,
    Key,
    Outcome,
    Remote,
    State,
    Timer,
    Unknown,
    World,
    replace,
)

public: int = magnetar.runtime.__all__  # E: int


class Place(Command):
    """A command."""

    order_id: Key
    quantity: int = 1


class Placed(Event):
    """An event."""

    order_id: Key


class Overdue(Timer):
    """A timer."""


class Ask(Effect):
    """An effect."""


class Answered(Outcome):
    """An outcome."""


class AskUnknown(Unknown):
    """Nobody knows."""


class Order(State):
    """A state."""

    status: str = "new"


class Stock(State):
    """Another state."""

    left: int = 10


orders = Actor("orders", Order, publishes=[Placed])
stock = Actor("stock", Stock)
listed = Actor("listed", Order, publishes=[Place])  # E: Place
stateless = Actor("stateless", Place)  # E: Place
remote = Remote("remote", takes=[Placed])  # E: Placed


@orders.effect(Dependency("x"), unknown=Overdue)  # E: Overdue
def wrong_unknown(request: Ask, call: Call) -> Answered:
    """What nobody knows is an Unknown."""
    return Answered()


@orders.effect(Dependency("x"), unknown=AskUnknown)  # E: Place
def wrong_request(request: Place, call: Call) -> Answered:
    """A command is no effect."""
    return Answered()


@orders.effect(Dependency("x"), unknown=AskUnknown)  # E: str
def wrong_outcome(request: Ask, call: Call) -> str:
    """What it returns is no outcome."""
    return ""


@orders.handles  # E: Stock
def wrong_state(order: Stock, message: Place, context: Context) -> Stock:
    """Another actor's state."""
    return order


@orders.handles  # E: dict
def wrong_message(order: Order, message: dict[str, str], context: Context) -> Order:
    """No message at all."""
    return order


@orders.handles  # E: None
def wrong_return(order: Order, message: Place, context: Context) -> None:
    """Forgets to return the state."""


@orders.handles  # E: Place
def returns_the_message(order: Order, message: Place, context: Context) -> Place:
    """Returns something else."""
    return message


@orders.handles  # E: str
def wrong_context(order: Order, message: Place, context: str) -> Order:
    """The third parameter is the context."""
    return order


@orders.handles
def mistakes(order: Order, message: Place, context: Context) -> Order:
    """A handler of the right shape that does everything wrong."""
    context.send(Placed(order_id="o"))  # E: Placed
    context.send(Overdue())  # E: Overdue
    context.publish(Place(order_id="o"))  # E: Place
    context.schedule(Place(order_id="o"), after=1)  # E: Place
    context.schedule(Overdue(), after="soon")  # E: float
    context.cancel(Place)  # E: Place
    context.record(message)  # E: Place
    order.status = "placed"  # E: status
    message.quantity = 2  # E: quantity
    Place("o")  # E: positional
    Place()  # E: order_id
    Place(order_id=1)  # E: str
    Place(order_id="o", amount=1)  # E: amount
    Order(status=1)  # E: str
    context.key = "other"  # E: key
    if not message.order_id:
        return replace(message, quantity=2)  # E: Place
    return None  # E: None


def look(world: World, client: Client) -> None:
    """What a test or a caller may get wrong."""
    wrong: Stock = world.state(orders, "o")  # E: Stock
    world.state("orders", "o")  # E: Actor
    world.publish(Place(order_id="o"), by="orders")  # E: Place
    world.sent(Order)  # E: Order
    client.send("hello")  # E: Message
    answer: Order = client.ask(Place(order_id="o"))  # E: Answer
