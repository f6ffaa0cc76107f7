"""The app of a cluster for chaos: the shop of the payment report, whose provider is at a node of its own."""

from __future__ import annotations

from typing import Final

from pydantic import field_validator

from magnetar.actors.providing.settings import ProviderSettings
from magnetar.chaos.paying.impatient import CONNECT_TIMEOUT, READ_TIMEOUT, impatient

TARGET: Final = "magnetar.chaos.cluster.shop:SHOP"
"""As a worker's command line names it. Its provider is where `MAGNETAR_PROVIDER_URL` says."""


class Behind(ProviderSettings):
    """Without TLS: the network is the cluster's own, nobody else is in it, and there is no token to read."""

    @field_validator("url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        return url


SHOP: Final = impatient(Behind(connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT)).app
