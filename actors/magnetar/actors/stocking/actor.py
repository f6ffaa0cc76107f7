"""Actor `stock`: it keeps what the rules decide, and tells the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from magnetar.actors.steps import StockStep
from magnetar.actors.stocking.rules import Memory, StockMessage, decide, evolve, units_of
from magnetar.actors.stocking.table import StockAct
from magnetar.runtime import Actor, Context, Event, Policy
from magnetar.runtime.wiring import KEY_LIMIT
from magnetar.schemas.commerce import (
    NotReserved,
    NotSold,
    Release,
    Reserve,
    Reserved,
    Restock,
    Return,
    Sell,
    Sold,
    Stock,
    StockRefusal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from magnetar.actors.settings import ShopSettings

    Take: TypeAlias = Callable[[Stock, StockMessage, Context], Stock]

_REASONS: Final[Mapping[StockAct, StockRefusal]] = {
    StockAct.SAY_OUT_OF_STOCK: StockRefusal.OUT_OF_STOCK,
    StockAct.SAY_QUANTITY: StockRefusal.QUANTITY,
    StockAct.SAY_CONTRADICTION: StockRefusal.CONTRADICTION,
    StockAct.SAY_SETTLED: StockRefusal.SETTLED,
    StockAct.SAY_OVERDUE: StockRefusal.OVERDUE,
    StockAct.SAY_CROWDED: StockRefusal.CROWDED,
}


def make_stock(settings: ShopSettings) -> Actor[Stock]:
    """The actor, with this memory. Every message goes the same way: decide, evolve, tell."""
    memory = Memory(settings.settled_memory, settings.settled_most)
    policy = Policy(partitions=settings.partitions)
    publishes = (Reserved, NotReserved, Sold, NotSold)
    actor = Actor("stock", Stock, publishes=publishes, rows=[StockStep], policy=policy)

    def take(stock: Stock, message: StockMessage, context: Context) -> Stock:
        taken = decide(stock, message, context.now)
        after = evolve(stock, message, taken, context.now, memory)
        order_id = None if isinstance(message, Restock) else message.order_id
        for act in taken.does:
            assert order_id is not None, "a delivery tells no order"
            context.publish(_said(act, order_id, context.key, units_of(after, order_id)))
        context.record(_step(after, context.key, message, order_id))
        return after

    _hear_warehouse(actor, take)
    _hear_orders(actor, take)
    return actor


def _hear_warehouse(actor: Actor[Stock], take: Take) -> None:
    @actor.handles
    def restock(stock: Stock, message: Restock, context: Context) -> Stock:
        return take(stock, message, context)


def _hear_orders(actor: Actor[Stock], take: Take) -> None:
    @actor.handles
    def reserve(stock: Stock, message: Reserve, context: Context) -> Stock:
        return take(stock, message, context)

    @actor.handles
    def sell(stock: Stock, message: Sell, context: Context) -> Stock:
        return take(stock, message, context)

    @actor.handles
    def release(stock: Stock, message: Release, context: Context) -> Stock:
        return take(stock, message, context)

    @actor.handles
    def take_back(stock: Stock, message: Return, context: Context) -> Stock:
        return take(stock, message, context)


def _said(act: StockAct, order_id: str, sku: str, units: int) -> Event:
    match act:
        case StockAct.SAY_RESERVED:
            return Reserved(order_id=order_id, sku=sku, quantity=units)
        case StockAct.SAY_SOLD:
            return Sold(order_id=order_id, sku=sku, quantity=units)
        case StockAct.SAY_NOT_SOLD:
            return NotSold(order_id=order_id, sku=sku)
        case _:
            return NotReserved(order_id=order_id, sku=sku, reason=_REASONS[act])


def _step(stock: Stock, sku: str, message: StockMessage, order_id: str | None) -> StockStep:
    return StockStep(
        sku=sku,
        order_id=None if order_id is None else order_id[:KEY_LIMIT],
        message=type(message).__name__,
        outcome=stock.outcome,
        on_hand=stock.on_hand,
        reserved=stock.reserved,
        sold=stock.sold,
    )
