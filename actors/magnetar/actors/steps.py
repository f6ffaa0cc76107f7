"""The trail: one row for every message that the shop handled, in the commit that applied it.

It says what was found, what came of it and what became, in words that are enum values: what an operator reads beside
the journal, which it joins by message id. Each actor has a table of its own, for an event may be taken by several.
"""

from __future__ import annotations

from magnetar.runtime import Row
from magnetar.schemas.commerce import OrderOutcome, OrderStatus, PaymentOutcome, PaymentStatus, StockOutcome  # noqa: TC001 - columns


class OrderStep(Row):
    """A message of an order, and its outcome."""

    __table__ = "order_steps"

    order_id: str
    message: str
    was: OrderStatus
    outcome: OrderOutcome
    became: OrderStatus


class PaymentStep(Row):
    """A message of a payment, and its outcome. `reference` is the capture's that the message names."""

    __table__ = "payment_steps"

    order_id: str
    message: str
    reference: str | None
    was: PaymentStatus
    outcome: PaymentOutcome
    became: PaymentStatus


class StockStep(Row):
    """A message of a SKU, and its outcome; `order_id` is None for a delivery. The counts are those after it."""

    __table__ = "stock_steps"

    sku: str
    order_id: str | None
    message: str
    outcome: StockOutcome
    on_hand: int
    reserved: int
    sold: int
