"""A kiosk that takes orders, right as it stands; a test puts a wrong handler in the place of a right one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magnetar.runtime import Actor, App, Command, Context, Event, Key, Remote, State, Timer, World, replace

if TYPE_CHECKING:
    from collections.abc import Callable


class Place(Command):
    """Place an order."""

    order_id: Key


class Pay(Command):
    """Pay for it."""

    order_id: Key
    amount: int = 10


class Rename(Command):
    """Change the name on it; later ones have higher revisions."""

    order_id: Key
    name: str
    revision: int


class Charge(Command):
    """Take the money, elsewhere."""

    card: Key
    amount: int


class Ask(Command):
    """Ask the stock for the goods."""

    sku: Key
    order_id: str


class Granted(Event):
    """The stock has them."""

    order_id: Key


class Overdue(Timer):
    """Nobody paid."""


class Order(State):
    """An order."""

    status: str = "new"
    paid: int = 0
    name: str = ""
    revision: int = 0


class Stock(State):
    """Goods."""

    given: int = 0


def place(order: Order, message: Place, context: Context) -> Order:
    """Once."""
    if order.status != "new":
        return order
    context.schedule(Overdue(), after=1800)
    return replace(order, status="placed")


def pay(order: Order, message: Pay, context: Context) -> Order:
    """Once, and while it is wanted."""
    if order.status != "placed":
        return order
    context.cancel(Overdue)
    context.send(Charge(card=context.key, amount=message.amount))
    return replace(order, status="paid", paid=order.paid + message.amount)


def rename(order: Order, message: Rename, context: Context) -> Order:
    """The newest wins."""
    if message.revision <= order.revision:
        return order
    return replace(order, name=message.name, revision=message.revision)


def overdue(order: Order, message: Overdue, context: Context) -> Order:
    """Too late."""
    return replace(order, status="cancelled")


def ask(stock: Stock, message: Ask, context: Context) -> Stock:
    """There is always enough."""
    context.publish(Granted(order_id=message.order_id))
    return replace(stock, given=stock.given + 1)


RIGHT: dict[str, Callable[..., Order]] = {"place": place, "pay": pay, "rename": rename, "overdue": overdue}


def pay_every_time(order: Order, message: Pay, context: Context) -> Order:
    """Charges for each click."""
    context.cancel(Overdue)
    context.send(Charge(card=context.key, amount=message.amount))
    return replace(order, status="paid", paid=order.paid + message.amount)


def rename_always(order: Order, message: Rename, context: Context) -> Order:
    """The last to come wins, not the newest."""
    return replace(order, name=message.name, revision=message.revision)


def pay_once_or_raise(order: Order, message: Pay, context: Context) -> Order:
    """Is sure that nobody clicks twice."""
    if order.status == "paid":
        raise LookupError("nothing to pay")
    return order if order.status != "placed" else replace(order, status="paid")


def orders_with(**instead: Callable[..., Order]) -> Actor[Order]:
    """The actor, with other handlers in the place of its own, or besides."""
    orders = Actor("orders", Order)
    orders.handlers.extend((RIGHT | instead).values())
    return orders


def kiosk(**instead: Callable[..., Order]) -> App:
    """The app with one actor."""
    return App("kiosk", orders_with(**instead), remotes=[Remote("cards", takes=[Charge])])


def kiosk_with_stock(**instead: Callable[..., Order]) -> App:
    """The app with two."""
    stock: Actor[Any] = Actor("stock", Stock, publishes=[Granted])
    stock.handlers.append(ask)
    return App("kiosk", orders_with(**instead), stock, remotes=[Remote("cards", takes=[Charge])])


ORDERS = orders_with()
"""To look at a state: the world asks for the name and the type only."""


def story(world: World) -> None:
    """Somebody orders and pays."""
    world.send(Place(order_id="o-1"))
    world.advance(60)
    world.send(Rename(order_id="o-1", name="Ada", revision=1))
    world.send(Rename(order_id="o-1", name="Ada L.", revision=2))
    world.send(Pay(order_id="o-1"))


def books_agree(world: World) -> None:
    """Charged once if paid, else not at all; the newest name stands."""
    order = world.state(ORDERS, "o-1")
    charged = [charge.amount for charge in world.sent(Charge)]
    assert charged == ([10] if order.status == "paid" else [])
    assert order.paid == sum(charged)
    assert order.name == "Ada L."
