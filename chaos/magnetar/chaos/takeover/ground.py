"""The servers that stay: a Pulsar cluster and a PostgreSQL, at addresses of their own, with the shop's topics."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from magnetar.actors.shop import SHOP
from magnetar.chaos.cluster.plans import postgres_plan, usual_plan
from magnetar.chaos.cluster.servers import Servers
from magnetar.chaos.takeover.netting import Side
from magnetar.runtime.compose.topics import Cluster
from magnetar.runtime.servers.cluster import ClusterServer
from magnetar.runtime.servers.postgres import PostgresServer

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from magnetar.chaos.takeover.netting import Network

TARGET = "magnetar.actors.shop:SHOP"
"""The app, as a worker's command line names it."""


class Ground(Servers):
    """Both servers, up for a block and gone after it. Raises any `ServerError` on entering."""

    def __init__(self, network: Network, folder: Path) -> None:
        """Their data is kept below `folder`."""
        super().__init__(
            wiring=SHOP.wire(),
            pulsar=ClusterServer(usual_plan(folder / "cluster", network.host(Side.BROKER))),
            postgres=PostgresServer(postgres_plan(network.host(Side.STORE), folder / "postgres")),
        )

    @property
    def partitions(self) -> int:
        """Of each actor."""
        return self.wiring.actors["orders"].policy.partitions

    def __enter__(self) -> Self:
        try:
            with ThreadPoolExecutor(2) as pool:
                for starting in [pool.submit(self.pulsar.start), pool.submit(self.postgres.start)]:
                    starting.result()
            with Cluster(self.pulsar.admin_url, self.wiring) as topics:
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
        self.pulsar.kill_all()
        self.postgres.kill()
