"""The app of the report: the shop with a provider over HTTP, with patience for a run of minutes."""

from __future__ import annotations

from typing import Final

from magnetar.actors.charging import Charging
from magnetar.actors.providing.over_http import HttpProvider
from magnetar.actors.providing.settings import ProviderSettings
from magnetar.actors.settings import ShopSettings
from magnetar.actors.shop import make_shop
from magnetar.runtime import Breaking, Dependency

TARGET: Final = "magnetar.chaos.paying.shop:SHOP"
"""As a worker's command line names it. Its provider is where `MAGNETAR_PROVIDER_URL` says."""

READ_TIMEOUT: Final = 1.0
_SETTINGS: Final = ProviderSettings(connect_timeout=0.5, read_timeout=READ_TIMEOUT)
_PROVIDER: Final = HttpProvider(_SETTINGS)
_LIMITS: Final = Dependency(
    "provider",
    threads=_SETTINGS.connections,
    timeout=_SETTINGS.longest + 1.0,
    attempts=3,
    tiers=(0.3, 1.0),
    breaking=Breaking(share=0.7, opens=1.0),  # two answers of five are bad: only a provider that is away is left alone
)
_PATIENCE: Final = ShopSettings(payment_timeout=10.0, stock_timeout=30.0, unclaimed_timeout=60.0, partitions=8)
SHOP: Final = make_shop(_PATIENCE, Charging(lambda: _PROVIDER, _LIMITS, again=2.0)).app
