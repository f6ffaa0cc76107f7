"""What must be true of a shop, told from its states alone: at any moment, and once everything has settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.schemas.commerce import CaptureFate, OrderStatus, PaymentStatus, Settlement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from magnetar.schemas.commerce import Capture, Order, Payment, RefundRequested, Stock


def check_stock(sku: str, stock: Stock, restocked: int) -> None:
    """At any moment: no unit is lost, none appears, no count is negative, and the holds are what is reserved."""
    counts = (stock.on_hand, stock.reserved, stock.sold)
    assert min(counts) >= 0, (sku, stock)
    assert sum(counts) == stock.restocked == restocked, (sku, stock)
    assert sum(hold.quantity for hold in stock.holds.values()) == stock.reserved, (sku, stock)
    assert all(hold.quantity > 0 for hold in stock.holds.values()), (sku, stock)


def check_payment(order_id: str, payment: Payment, refunds: list[RefundRequested], captured: Iterable[Capture]) -> None:
    """At any moment: what was captured and did not go back is held or pays the order; nothing goes back twice."""
    fates = {each.reference: each for each in payment.captures}
    assert len(fates) == len(payment.captures), (order_id, payment)
    first: dict[str, Capture] = {}
    for capture in captured:
        first.setdefault(capture.reference, capture)
    assert {name: each.amount for name, each in fates.items()} == {name: each.amount for name, each in first.items()}
    gone = [each.reference for each in payment.captures if each.fate is CaptureFate.REFUNDED]
    assert sorted(gone) == sorted(each.reference for each in refunds), (order_id, payment, refunds)
    assert all(each.amount == fates[each.reference].amount for each in refunds)
    kept = [each for each in payment.captures if each.fate is CaptureFate.ACCEPTED]
    assert [each.amount for each in kept] == ([payment.due] if payment.status is PaymentStatus.PAID else [])
    held = any(each.fate is CaptureFate.HELD for each in payment.captures)
    assert held == (payment.status is PaymentStatus.UNCLAIMED), (order_id, payment)


def check_settled(orders: Mapping[str, Order], payments: Mapping[str, Payment], stocks: Mapping[str, Stock]) -> None:
    """Once nothing is left to happen: every order has ended, paid means confirmed, and nothing is held for anybody."""
    for order_id, order in orders.items():
        check_ended(order_id, order, payments[order_id])
    for sku, stock in stocks.items():
        assert stock.holds == {}, (sku, stock)
        confirmed = [order for order in orders.values() if order.status is OrderStatus.CONFIRMED]
        units = sum(each.line.quantity for order in confirmed for each in order.lines if each.line.sku == sku)
        assert stock.sold == units, (sku, stock)
        remembered = {name for name, each in stock.settled.items() if each.how is Settlement.SOLD}
        assert remembered <= {name for name, order in orders.items() if order.status is OrderStatus.CONFIRMED}


def check_ended(order_id: str, order: Order, payment: Payment) -> None:
    """An order that was heard of has ended; its money is where it belongs."""
    kept = [each for each in payment.captures if each.fate is not CaptureFate.REFUNDED]
    match order.status:
        case OrderStatus.CONFIRMED:
            assert [each.amount for each in kept] == [order.total], (order_id, payment)
            assert kept[0].reference == order.paid_by
        case OrderStatus.CANCELLED | OrderStatus.REFUSED:
            assert payment.status is PaymentStatus.CLOSED, (order_id, payment)
            assert kept == []
        case OrderStatus.NEW:
            assert kept == [], (order_id, payment)
        case _:
            message = f"{order_id} waits for nothing: {order} {payment}"
            raise AssertionError(message)
