"""The app of the report: the shop with a provider over HTTP, with patience for a run of minutes."""

from __future__ import annotations

from typing import Final

from magnetar.actors.providing.settings import ProviderSettings
from magnetar.chaos.paying.impatient import CONNECT_TIMEOUT, READ_TIMEOUT, impatient

TARGET: Final = "magnetar.chaos.paying.shop:SHOP"
"""As a worker's command line names it. Its provider is where `MAGNETAR_PROVIDER_URL` says."""

SHOP: Final = impatient(ProviderSettings(connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT)).app
