"""The servers: a Pulsar and a PostgreSQL of this run's own, with the app's topics."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from magnetar.runtime.compose.machine import java_home, places
from magnetar.runtime.compose.places import bus_place, store_place
from magnetar.runtime.compose.topics import Cluster
from magnetar.runtime.servers.postgres import running_postgres
from magnetar.runtime.servers.pulsar import running_pulsar

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from magnetar.runtime import App
    from magnetar.runtime.compose.places import BusPlace, StorePlace


class Ground:
    """Both servers, up for a block and gone after it: see `magnetar.chaos.takeover.reading.Readable`."""

    def __init__(self, app: App, folder: Path) -> None:
        """For this app; their data is kept below `folder`."""
        self.wiring = app.wire()
        self._folder = folder
        self._open = ExitStack()
        self.bus_url = self.admin_url = self.store_url = ""

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            pulsar = opened.enter_context(
                running_pulsar(self._folder / "pulsar", places().cache, java_home=java_home())
            )
            postgres = opened.enter_context(running_postgres(self._folder / "postgres"))
            self.bus_url, self.admin_url, self.store_url = pulsar.service_url, pulsar.admin_url, postgres.service_url
            with Cluster(self.admin_url, self.wiring) as topics:
                topics.apply()
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def bus(self) -> BusPlace:
        """For whoever reads or writes the topics."""
        return bus_place(self.bus_url, self.wiring.app)

    @property
    def store(self) -> StorePlace:
        """For whoever reads the store."""
        return store_place(self.store_url)
