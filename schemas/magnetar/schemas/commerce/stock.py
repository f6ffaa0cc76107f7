"""Contracts of actor `stock`: one entity per SKU, with its reservations by order id."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from msgspec import field

from magnetar.schemas.contracts import Command, Doc, Event, Key, Record, State

NAMESPACE = "magnetar.stock"


class Settlement(enum.Enum):
    """How a reservation ended."""

    __namespace__ = NAMESPACE

    SOLD = "sold"
    RELEASED = "released"


class StockOutcome(enum.Enum):
    """What came of one message that a SKU was given. A symbol unknown to an older reader is read as `none`."""

    __namespace__ = NAMESPACE

    NONE = "none"
    RESTOCKED = "restocked"
    REFUSED_QUANTITY = "refused_quantity"
    REFUSED_ORDER_ID = "refused_order_id"
    RESERVED = "reserved"
    RESERVED_AGAIN = "reserved_again"
    RESERVED_DIFFERENTLY = "reserved_differently"
    OUT_OF_STOCK = "out_of_stock"
    REFUSED_SETTLED = "refused_settled"
    REFUSED_OVERDUE = "refused_overdue"
    REFUSED_CROWDED = "refused_crowded"
    SOLD = "sold"
    SOLD_AGAIN = "sold_again"
    SALE_REFUSED = "sale_refused"
    RELEASED = "released"
    RELEASED_AGAIN = "released_again"
    RELEASED_NOTHING = "released_nothing"
    KEPT_SOLD = "kept_sold"
    RETURNED = "returned"
    RETURNED_AGAIN = "returned_again"
    RETURNED_NOTHING = "returned_nothing"


class StockRefusal(enum.Enum):
    """Why nothing was reserved."""

    __namespace__ = NAMESPACE

    OUT_OF_STOCK = "out_of_stock"
    QUANTITY = "quantity"
    CONTRADICTION = "contradiction"
    SETTLED = "settled"
    OVERDUE = "overdue"
    CROWDED = "crowded"


class Restock(Command):
    """Goods have come in. It has no identity but its message id: send a retry with the same one."""

    __namespace__ = NAMESPACE

    sku: Annotated[Key, Doc("stock keeping unit")]
    quantity: Annotated[int, Doc("units that came in, 1 to 1,000,000,000")]


class Reserve(Command):
    """Put units aside for an order, all or none. Answered by `Reserved`, `NotReserved` or, once sold, `Sold`."""

    __namespace__ = NAMESPACE

    sku: Annotated[Key, Doc("stock keeping unit")]
    order_id: Annotated[str, Doc("for which order")]
    quantity: Annotated[int, Doc("units, at least 1")]
    until: Annotated[datetime, Doc("when the order stops waiting for an answer: from then on nothing is put aside")]


class Sell(Command):
    """The order is paid: what is held for it leaves the stock. Answered by `Sold` or `NotSold`."""

    __namespace__ = NAMESPACE

    sku: Annotated[Key, Doc("stock keeping unit")]
    order_id: Annotated[str, Doc("of which order")]


class Release(Command):
    """The order has ended: what is held for it is free again, and a `Reserve` that comes later is refused.

    Never undoes a sale: then it is answered by `Sold`.
    """

    __namespace__ = NAMESPACE

    sku: Annotated[Key, Doc("stock keeping unit")]
    order_id: Annotated[str, Doc("of which order")]


class Return(Command):
    """Take back whatever is held for the order or sold to it; a `Reserve` that comes later is refused."""

    __namespace__ = NAMESPACE

    sku: Annotated[Key, Doc("stock keeping unit")]
    order_id: Annotated[str, Doc("of which order")]


class Reserved(Event):
    """The units are put aside for the order."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("for which order")]
    sku: Annotated[str, Doc("stock keeping unit")]
    quantity: Annotated[int, Doc("units that are put aside")]


class NotReserved(Event):
    """Nothing was put aside by this request."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("for which order")]
    sku: Annotated[str, Doc("stock keeping unit")]
    reason: Annotated[StockRefusal, Doc("why")]


class Sold(Event):
    """The order's units have left the stock."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("to which order")]
    sku: Annotated[str, Doc("stock keeping unit")]
    quantity: Annotated[int, Doc("units that have left")]


class NotSold(Event):
    """Nothing is held for the order, so nothing was sold."""

    __namespace__ = NAMESPACE

    order_id: Annotated[Key, Doc("to which order")]
    sku: Annotated[str, Doc("stock keeping unit")]


class Hold(Record):
    """A live reservation."""

    __namespace__ = NAMESPACE

    quantity: Annotated[int, Doc("units put aside")]
    since: Annotated[datetime, Doc("when they were put aside")]


class Settled(Record):
    """A reservation that has ended."""

    __namespace__ = NAMESPACE

    how: Annotated[Settlement, Doc("sold or released")]
    quantity: Annotated[int, Doc("units sold; 0 when released")]
    at: Annotated[datetime, Doc("when it ended")]


class Stock(State):
    """One SKU: `on_hand + reserved + sold = restocked`, none of them ever negative."""

    __namespace__ = NAMESPACE

    on_hand: Annotated[int, Doc("units free to be reserved")] = 0
    reserved: Annotated[int, Doc("units put aside, the sum over holds")] = 0
    sold: Annotated[int, Doc("units sold and not returned")] = 0
    restocked: Annotated[int, Doc("units that ever came in")] = 0
    holds: Annotated[Mapping[str, Hold], Doc("live reservations by order id, at most 4,096")] = field(
        default_factory=dict[str, Hold]
    )
    settled: Annotated[
        Mapping[str, Settled], Doc("reservations that ended lately, by order id, the oldest first; at most 256")
    ] = field(default_factory=dict[str, Settled])
    outcome: Annotated[StockOutcome, Doc("what came of the last message")] = StockOutcome.NONE
