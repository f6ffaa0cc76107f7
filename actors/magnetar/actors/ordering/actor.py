"""Actor `orders`: it keeps what the rules decide, and tells stock and payments what they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from magnetar.actors.ordering.deeds import perform
from magnetar.actors.ordering.rules import OrderMessage, decide, evolve
from magnetar.actors.steps import OrderStep
from magnetar.runtime import Actor, Context, Policy
from magnetar.schemas.commerce import (
    Cancel,
    NotReserved,
    NotSold,
    Order,
    OrderCancelled,
    OrderConfirmed,
    OrderRefused,
    PaymentOverdue,
    PaymentReceived,
    Place,
    Reserved,
    Sold,
    StockOverdue,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.actors.settings import ShopSettings

    Take: TypeAlias = Callable[[Order, OrderMessage, Context], Order]


def make_orders(settings: ShopSettings) -> Actor[Order]:
    """The actor, with these time-outs. Every message goes the same way: decide, evolve, tell."""
    policy = Policy(partitions=settings.partitions)
    publishes = (OrderConfirmed, OrderCancelled, OrderRefused)
    actor = Actor("orders", Order, publishes=publishes, rows=[OrderStep], policy=policy)

    def take(order: Order, message: OrderMessage, context: Context) -> Order:
        taken = decide(order, message)
        after = evolve(order, message, taken, context.now)
        for act in taken.does:
            perform(act, after, message, context, settings)
        context.record(
            OrderStep(
                order_id=context.key,
                message=type(message).__name__,
                was=order.status,
                outcome=taken.outcome,
                became=after.status,
            )
        )
        return after

    _hear_customers(actor, take)
    _hear_stock(actor, take)
    _hear_payments_and_time(actor, take)
    return actor


def _hear_customers(actor: Actor[Order], take: Take) -> None:
    @actor.handles
    def place(order: Order, message: Place, context: Context) -> Order:
        return take(order, message, context)

    @actor.handles
    def cancel(order: Order, message: Cancel, context: Context) -> Order:
        return take(order, message, context)


def _hear_stock(actor: Actor[Order], take: Take) -> None:
    @actor.handles
    def reserved(order: Order, message: Reserved, context: Context) -> Order:
        return take(order, message, context)

    @actor.handles
    def not_reserved(order: Order, message: NotReserved, context: Context) -> Order:
        return take(order, message, context)

    @actor.handles
    def sold(order: Order, message: Sold, context: Context) -> Order:
        return take(order, message, context)

    @actor.handles
    def not_sold(order: Order, message: NotSold, context: Context) -> Order:
        return take(order, message, context)


def _hear_payments_and_time(actor: Actor[Order], take: Take) -> None:
    @actor.handles
    def payment_received(order: Order, message: PaymentReceived, context: Context) -> Order:
        return take(order, message, context)

    @actor.handles
    def stock_overdue(order: Order, message: StockOverdue, context: Context) -> Order:
        return take(order, message, context)

    @actor.handles
    def payment_overdue(order: Order, message: PaymentOverdue, context: Context) -> Order:
        return take(order, message, context)
