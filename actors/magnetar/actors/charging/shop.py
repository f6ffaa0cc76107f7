"""The shop with a provider over HTTP, ready for a worker: `magnetar worker magnetar.actors.charging.shop:SHOP`.

Its provider is where `MAGNETAR_PROVIDER_URL` says, at the time when this module is imported.
"""

from __future__ import annotations

from typing import Final

from magnetar.actors.charging.actor import Charging
from magnetar.actors.providing.over_http import HttpProvider
from magnetar.actors.providing.settings import ProviderSettings
from magnetar.actors.shop import make_shop
from magnetar.runtime import Dependency

_SETTINGS: Final = ProviderSettings()
_PROVIDER: Final = HttpProvider(_SETTINGS)
_LIMITS: Final = Dependency("provider", threads=_SETTINGS.connections, timeout=_SETTINGS.longest + 1.0)
SHOP: Final = make_shop(charging=Charging(lambda: _PROVIDER, _LIMITS)).app
