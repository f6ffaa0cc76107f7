"""The shop: orders, stock and payments as one app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from magnetar.actors.ordering import make_orders
from magnetar.actors.paying import make_payments
from magnetar.actors.settings import ShopSettings
from magnetar.actors.stocking import make_stock
from magnetar.runtime import App

if TYPE_CHECKING:
    from magnetar.actors.charging import Charging
    from magnetar.runtime import Actor
    from magnetar.schemas.commerce import Order, Payment, Stock


CONTRACTS: Final = 1
"""The generation of what the shop stores: since 1, a payment knows of its provider, which code of 0.1.0 would lose."""


@dataclass(frozen=True, slots=True)
class Shop:
    """The actors of one shop, and the app that they make."""

    orders: Actor[Order]
    stock: Actor[Stock]
    payments: Actor[Payment]
    app: App
    settings: ShopSettings


def make_shop(settings: ShopSettings | None = None, charging: Charging | None = None) -> Shop:
    """A shop with these settings; by default the ones of `ShopSettings`.

    `charging`: the provider that charges its orders; None: it waits for what a provider tells it.
    """
    chosen = settings or ShopSettings()
    orders, stock, payments = make_orders(chosen), make_stock(chosen), make_payments(chosen, charging)
    app = App("shop", orders, stock, payments, contracts=CONTRACTS)
    return Shop(orders, stock, payments, app, chosen)


_SHOP: Final = make_shop()
orders: Final = _SHOP.orders
stock: Final = _SHOP.stock
payments: Final = _SHOP.payments
SHOP: Final = _SHOP.app
