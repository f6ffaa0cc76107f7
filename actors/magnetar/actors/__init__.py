"""The commerce actors: orders, stock and payments, ready to run as the app `SHOP`."""

from magnetar.actors.lifecycle import Lifecycle, LifecycleInvalid, Transition, mermaid
from magnetar.actors.ordering import ORDER_LIFECYCLE
from magnetar.actors.paying import PAYMENT_LIFECYCLE
from magnetar.actors.settings import ShopSettings
from magnetar.actors.shop import SHOP, Shop, make_shop, orders, payments, stock
from magnetar.actors.stocking import STOCK_LIFECYCLE

__all__ = [
    "ORDER_LIFECYCLE",
    "PAYMENT_LIFECYCLE",
    "SHOP",
    "STOCK_LIFECYCLE",
    "Lifecycle",
    "LifecycleInvalid",
    "Shop",
    "ShopSettings",
    "Transition",
    "make_shop",
    "mermaid",
    "orders",
    "payments",
    "stock",
]
