"""A Pulsar and a PostgreSQL that are up, with an app's topics: their addresses, and what opens them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.compose.places import bus_place, store_place

if TYPE_CHECKING:
    from magnetar.runtime.compose.places import BusPlace, StorePlace
    from magnetar.runtime.servers.cluster import ClusterServer
    from magnetar.runtime.servers.postgres import PostgresServer
    from magnetar.runtime.wiring import Wiring


@dataclass(kw_only=True)
class Servers:
    """See `magnetar.chaos.takeover.reading.Readable`."""

    wiring: Wiring
    pulsar: ClusterServer
    postgres: PostgresServer

    @property
    def bus_url(self) -> str:
        """For workers and customers."""
        return self.pulsar.service_url

    @property
    def admin_url(self) -> str:
        """Of the brokers' REST API, for workers."""
        return self.pulsar.admin_url

    @property
    def store_url(self) -> str:
        """For workers."""
        return self.postgres.service_url

    @property
    def bus(self) -> BusPlace:
        """For whoever reads the topics."""
        return bus_place(self.bus_url, self.wiring.app)

    @property
    def store(self) -> StorePlace:
        """For whoever reads the store."""
        return store_place(self.store_url)
