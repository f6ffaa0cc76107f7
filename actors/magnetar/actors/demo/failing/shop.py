"""The shop of the stage: it asks a provider over HTTP, and lets few questions wait."""

from __future__ import annotations

from magnetar.actors.charging import Charging
from magnetar.actors.providing.over_http import HttpProvider
from magnetar.actors.providing.settings import ProviderSettings
from magnetar.actors.settings import ShopSettings
from magnetar.actors.shop import make_shop
from magnetar.runtime import App, Breaking, Dependency

READ_TIMEOUT = 0.5
QUEUE = 8
"""So many questions wait in each shard; whose payment comes to ask one more is parked until there is room."""


def failing_shop(payment_timeout: float, provider: str) -> App:
    """A shop in compressed time, twice as patient as that of the first stage, whose provider is at `provider`."""
    settings = ProviderSettings(url=provider, connect_timeout=0.3, read_timeout=READ_TIMEOUT)
    limits = Dependency(
        "provider",
        threads=settings.connections,
        queue=QUEUE,
        timeout=settings.longest + 1.0,
        rate=500.0,
        burst=50,
        attempts=3,
        tiers=(0.2, 0.5),
        breaking=Breaking(opens=0.5),
    )
    asked = HttpProvider(settings)
    patience = ShopSettings(
        payment_timeout=2 * payment_timeout, stock_timeout=30.0, unclaimed_timeout=60.0, partitions=4
    )
    shop = make_shop(patience, Charging(lambda: asked, limits, again=1.0))
    return App("failing-shop", shop.orders, shop.stock, shop.payments)
