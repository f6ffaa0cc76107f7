"""The source of an app that a newcomer might write, with places in which a test changes it."""

from __future__ import annotations

SHOP = """
import time
from pathlib import Path
from magnetar.runtime import Actor, App, Command, Context, Key, State, Timer, replace

class Place(Command):
    order_id: Key
    waits: bool = False

class Overdue(Timer):
    pass

class Order(State):
    status: str = "new"
    placed: int = 0

orders = Actor("orders", Order)

@orders.handles
def place(order: Order, message: Place, context: Context) -> Order:
    context.schedule(Overdue(), after=3600)
    while message.waits and Path("hold").exists():
        Path("inside").touch()
        time.sleep(0.01)
    return replace(order, status="placed", placed=order.placed + 1)

@orders.handles
def overdue(order: Order, message: Overdue, context: Context) -> Order:
    return replace(order, status="cancelled")

app = App("NAME", orders)
"""

RIGHT = 'status="placed"'
BROKEN = "status=message.nothing_like_it"


def shop(name: str = "shop") -> str:
    """The app of this name, right."""
    return SHOP.replace("NAME", name)


def hesitant() -> str:
    """The app whose handler asks for another attempt, a moment later."""
    raises = '    if not context.envelope.attempt:\n        raise TemporaryError("not yet", delay=0.1)\n'
    return (
        shop()
        .replace("State, Timer,", "State, TemporaryError, Timer,")
        .replace(f"    return replace(order, {RIGHT}", f"{raises}    return replace(order, {RIGHT}")
    )


def broken() -> str:
    """The app whose handler raises."""
    return shop().replace(RIGHT, BROKEN)
