"""The servers that stay: a Pulsar cluster and a PostgreSQL, at addresses of their own, with the shop's topics."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from magnetar.actors.shop import SHOP
from magnetar.chaos.takeover.netting import Side
from magnetar.runtime.compose import bus_place, machine, store_place
from magnetar.runtime.compose.topics import Cluster
from magnetar.runtime.servers import PostgresPlan, PostgresServer
from magnetar.runtime.servers.cluster import ClusterPlan, ClusterServer
from magnetar.runtime.servers.cluster.addresses import Asked
from magnetar.runtime.servers.cluster.classes import class_archive
from magnetar.runtime.servers.distribution import pinned_pulsar, silent
from magnetar.runtime.servers.installation import install
from magnetar.runtime.servers.java import find_java
from magnetar.runtime.servers.maven import fetch_from_maven
from magnetar.runtime.servers.postgres_making import packaged_postgres

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from magnetar.chaos.takeover.netting import Network
    from magnetar.runtime.compose import BusPlace, StorePlace

TARGET = "magnetar.actors.shop:SHOP"
"""The app, as a worker's command line names it."""


class Ground:
    """Both servers, up for a block and gone after it. Raises any `ServerError` on entering."""

    def __init__(self, network: Network, folder: Path) -> None:
        """Their data is kept below `folder`."""
        self.wiring = SHOP.wire()
        self.cluster = ClusterServer(_cluster_plan(folder / "cluster", network.host(Side.BROKER)))
        home, version = packaged_postgres()
        self.postgres = PostgresServer(
            PostgresPlan(home=home, data=folder / "postgres", version=version, host=network.host(Side.STORE))
        )

    @property
    def bus_url(self) -> str:
        """For workers and customers."""
        return self.cluster.service_url

    @property
    def admin_url(self) -> str:
        """Of the brokers' REST API."""
        return self.cluster.admin_url

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

    @property
    def partitions(self) -> int:
        """Of each actor."""
        return self.wiring.actors["orders"].policy.partitions

    def __enter__(self) -> Self:
        try:
            with ThreadPoolExecutor(2) as pool:
                for starting in [pool.submit(self.cluster.start), pool.submit(self.postgres.start)]:
                    starting.result()
            with Cluster(self.cluster.admin_url, self.wiring) as topics:
                topics.apply()
        except BaseException:  # Ctrl-C as well
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        """Nobody needs what they would write down on the way out."""
        self.cluster.kill_all()
        self.postgres.kill()


def _cluster_plan(data: Path, host: str) -> ClusterPlan:
    java, distribution, cache = find_java(machine.java_home()), pinned_pulsar(), machine.places().cache
    home = install(distribution, cache, fetch_from_maven, silent)
    return ClusterPlan(
        home=home,
        java=java,
        data=data,
        version=distribution.version,
        classes=class_archive(java, home, cache),
        asked=Asked(host=host),
    )
