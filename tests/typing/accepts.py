"""What a user may write: both checkers must be content with every line."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, ClassVar

import magnetar.runtime
from magnetar.runtime import (
    Actor,
    Answer,
    App,
    Call,
    Client,
    Command,
    Context,
    Dependency,
    Digits,
    Effect,
    Event,
    Failed,
    Key,
    Money,
    Outcome,
    Policy,
    Record,
    Remote,
    Row,
    State,
    Timer,
    Unknown,
    World,
    replace,
)

public: list[str] = list(magnetar.runtime.__all__)


class Line(Record):
    """A nested record."""

    sku: str
    quantity: int = 1


class Place(Command):
    """A command with every kind of field."""

    order_id: Key
    lines: tuple[Line, ...] = ()
    total: Annotated[Decimal, Digits(precision=12, scale=2)] = Decimal(0)
    price: Money | None = None
    until: datetime | None = None


class Reserve(Command):
    """A command for another actor."""

    sku: Key
    order_id: str


class Mail(Command):
    """A command for a service elsewhere."""

    address: Key


class Placed(Event):
    """An event."""

    order_id: Key


class Overdue(Timer):
    """A timer needs no key."""


class Booking(Row):
    """A row of one's own."""

    __table__: ClassVar[str] = "bookings"

    order_id: str
    amount: int


class Print(Effect):
    """A request to the outside."""

    text: str


class Printed(Outcome):
    """What came of it."""

    pages: int = 0


class Jammed(Outcome):
    """The other thing that may come of it."""


class PrintUnknown(Unknown):
    """Or nobody knows."""


class Order(State):
    """A state."""

    status: str = "new"
    lines: tuple[Line, ...] = ()


class Stock(State):
    """Another state."""

    left: int = 10


orders = Actor("orders", Order, publishes=[Placed], rows=[Booking], policy=Policy(partitions=4))
stock = Actor("stock", Stock)


@orders.handles
def place(order: Order, message: Place, context: Context) -> Order:
    """The actor of the README."""
    if order.status != "new":
        return order
    context.send(Reserve(sku="s-1", order_id=context.key))
    context.publish(Placed(order_id=message.order_id))
    context.schedule(Overdue(), after=1800)
    context.schedule(Overdue(), at=datetime.now(UTC), name="other")
    context.record(Booking(order_id=context.key, amount=1))
    return replace(order, status="placed", lines=message.lines)


@orders.handles
def overdue(order: Order, message: Overdue, context: Context) -> Order:
    """A timer is handled like a message."""
    context.cancel(Overdue)
    context.cancel("other")
    return replace(order, status=f"cancelled at {context.now} in {context.envelope.correlation_id}")


@stock.handles
def reserve(stock: Stock, message: Reserve, context: Context) -> Stock:
    """Another actor's handler."""
    context.send(Mail(address="x"))
    return Stock(left=stock.left - 1)


@stock.effect(Dependency("printer"), unknown=PrintUnknown)
def print_label(request: Print, call: Call) -> Printed | Failed[Jammed]:
    """An effect: what it may answer is in its type."""
    if not call.idempotency_key:
        return Failed(Jammed(), final=True)
    return Printed(pages=call.attempt)


@stock.handles
def printed(stock: Stock, message: Printed, context: Context) -> Stock:
    """An outcome is handled like a message."""
    key: str = context.effect(Print(text="again"))
    return replace(stock, left=len(key))


app = App("shop", orders, stock, remotes=[Remote("mail", takes=[Mail])])


def test_an_unpaid_order_is_cancelled() -> None:
    """The test of the README; a state is of its actor's type."""
    with World(orders, stock, remotes=[Remote("mail", takes=[Mail])]) as world:
        world.send(Place(order_id="o-1", lines=(Line(sku="s-1"),)))
        world.advance(1800)
        order: Order = world.state(orders, "o-1")
        left: int = world.state(stock, "s-1").left
        placed: list[Placed] = world.sent(Placed)
        assert (order.status, left, len(placed)) == ("cancelled", 9, 1)


def use(client: Client) -> str:
    """From outside."""
    answer: Answer = client.ask(Place(order_id="o-1"), id="once")
    client.send_all([(Place(order_id="o-2"), None), (Reserve(sku="s", order_id="o"), "twice")])
    return client.send(Place(order_id="o-3")) + answer.disposition
