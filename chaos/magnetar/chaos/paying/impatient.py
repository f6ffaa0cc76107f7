"""The shop with a provider over HTTP, with patience for a run of minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from magnetar.actors.charging import Charging
from magnetar.actors.providing.over_http import HttpProvider
from magnetar.actors.settings import ShopSettings
from magnetar.actors.shop import make_shop
from magnetar.runtime import Breaking, Dependency

if TYPE_CHECKING:
    from magnetar.actors.providing.settings import ProviderSettings
    from magnetar.actors.shop import Shop

CONNECT_TIMEOUT: Final = 0.5
READ_TIMEOUT: Final = 1.0
PARTITIONS: Final = 4
"""Of each actor.

A broker that takes over loads all topics of a namespace, in some 50 ms of a processor each while its Java is cold. With
8 these are 226, and two cores had nothing left: when brokers were restarted one after the other (S07), shards waited
for 16.8 to 27.3 s; with 4 for 9.6 s.
"""
_PATIENCE: Final = ShopSettings(payment_timeout=10.0, stock_timeout=30.0, unclaimed_timeout=60.0, partitions=PARTITIONS)


def impatient(settings: ProviderSettings) -> Shop:
    """It asks the provider that these settings name; they are best made with the time-outs above."""
    provider = HttpProvider(settings)
    limits = Dependency(
        "provider",
        threads=settings.connections,
        timeout=settings.longest + 1.0,
        attempts=3,
        tiers=(0.3, 1.0),
        breaking=Breaking(share=0.7, opens=1.0),  # two answers of five are bad: one that is away is left alone
    )
    return make_shop(_PATIENCE, Charging(lambda: provider, limits, again=2.0))
