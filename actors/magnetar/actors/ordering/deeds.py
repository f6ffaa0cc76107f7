"""What an order's acts are in messages and timers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias, assert_never

from magnetar.actors.ordering.table import OrderAct
from magnetar.schemas.commerce import (
    ClosePayment,
    LineStock,
    NotReserved,
    NotSold,
    OrderCancelled,
    OrderConfirmed,
    OrderRefused,
    PaymentOverdue,
    Release,
    RequestPayment,
    Reserve,
    Reserved,
    Return,
    Sell,
    Sold,
    StockOverdue,
)

if TYPE_CHECKING:
    from magnetar.actors.ordering.rules import OrderMessage
    from magnetar.actors.settings import ShopSettings
    from magnetar.runtime import Command, Context, Event
    from magnetar.schemas.commerce import Line, Order

    ForLines: TypeAlias = Literal[
        OrderAct.RESERVE_LINES, OrderAct.SELL_LINES, OrderAct.RELEASE_LINES, OrderAct.RETURN_LINES
    ]
    ForTime: TypeAlias = Literal[
        OrderAct.WAIT_FOR_STOCK,
        OrderAct.WAIT_FOR_PAYMENT,
        OrderAct.STOP_WAITING_FOR_STOCK,
        OrderAct.STOP_WAITING_FOR_PAYMENT,
    ]
    ForEveryone: TypeAlias = Literal[OrderAct.SAY_CONFIRMED, OrderAct.SAY_CANCELLED, OrderAct.SAY_REFUSED]
    ForPayments: TypeAlias = Literal[OrderAct.REQUEST_PAYMENT, OrderAct.CLOSE_PAYMENT]


def perform(act: OrderAct, order: Order, message: OrderMessage, context: Context, settings: ShopSettings) -> None:
    """Hand an act to the context. `order` is the order as it is after the message."""
    match act:
        case OrderAct.RESERVE_LINES | OrderAct.SELL_LINES | OrderAct.RELEASE_LINES | OrderAct.RETURN_LINES:
            for command in _for_lines(act, order, context, settings):
                context.send(command)
        case OrderAct.RELEASE_THIS:
            context.send(Release(sku=_sku_of(message), order_id=context.key))
        case OrderAct.RETURN_THIS:
            context.send(Return(sku=_sku_of(message), order_id=context.key))
        case OrderAct.REQUEST_PAYMENT | OrderAct.CLOSE_PAYMENT:
            context.send(_for_payments(act, order, context.key))
        case OrderAct.SAY_CONFIRMED | OrderAct.SAY_CANCELLED | OrderAct.SAY_REFUSED:
            context.publish(_for_everyone(act, order, context.key))
        case _:
            _for_later(act, context, settings)


def _for_lines(act: ForLines, order: Order, context: Context, settings: ShopSettings) -> list[Command]:
    order_id = context.key
    match act:
        case OrderAct.RESERVE_LINES:
            until = context.now + timedelta(seconds=settings.stock_timeout)
            return [_reserve(each.line, order_id, until) for each in order.lines]
        case OrderAct.SELL_LINES:
            return [Sell(sku=each.line.sku, order_id=order_id) for each in order.lines]
        case OrderAct.RELEASE_LINES:
            held = [each for each in order.lines if each.stock is not LineStock.REFUSED]
            return [Release(sku=each.line.sku, order_id=order_id) for each in held]
        case OrderAct.RETURN_LINES:
            return [Return(sku=each.line.sku, order_id=order_id) for each in order.lines]
        case _:
            assert_never(act)


def _reserve(line: Line, order_id: str, until: datetime) -> Reserve:
    return Reserve(sku=line.sku, order_id=order_id, quantity=line.quantity, until=until)


def _sku_of(message: OrderMessage) -> str:
    if isinstance(message, Reserved | NotReserved | Sold | NotSold):
        return message.sku
    text = f"the table sends the SKU of {type(message).__name__} back, which names none"
    raise TypeError(text)


def _for_payments(act: ForPayments, order: Order, order_id: str) -> Command:
    match act:
        case OrderAct.REQUEST_PAYMENT:
            assert order.total is not None, "an order is placed with a total"
            return RequestPayment(order_id=order_id, due=order.total)
        case OrderAct.CLOSE_PAYMENT:
            return ClosePayment(order_id=order_id)
        case _:
            assert_never(act)


def _for_everyone(act: ForEveryone, order: Order, order_id: str) -> Event:
    match act:
        case OrderAct.SAY_CONFIRMED:
            assert order.total is not None, "a confirmed order was placed"
            return OrderConfirmed(order_id=order_id, total=order.total)
        case OrderAct.SAY_CANCELLED:
            return OrderCancelled(order_id=order_id, outcome=order.outcome)
        case OrderAct.SAY_REFUSED:
            return OrderRefused(order_id=order_id, outcome=order.outcome)
        case _:
            assert_never(act)


def _for_later(act: ForTime, context: Context, settings: ShopSettings) -> None:
    match act:
        case OrderAct.WAIT_FOR_STOCK:
            context.schedule(StockOverdue(), after=settings.stock_timeout)
        case OrderAct.WAIT_FOR_PAYMENT:
            context.schedule(PaymentOverdue(), after=settings.payment_timeout)
        case OrderAct.STOP_WAITING_FOR_STOCK:
            context.cancel(StockOverdue)
        case OrderAct.STOP_WAITING_FOR_PAYMENT:
            context.cancel(PaymentOverdue)
        case _:
            assert_never(act)
