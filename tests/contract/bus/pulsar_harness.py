"""Apache Pulsar, plugged into the contract suite."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import httpx2
import pulsar
import pytest

from magnetar.runtime.bus.port import Delivery, Position
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.applying import apply, survey
from magnetar.runtime.bus.pulsar.client import PulsarBus
from magnetar.runtime.bus.pulsar.provisioning import plan
from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from magnetar.runtime.bus.pulsar.wanted import Wanted, WantedTopic
from tests.contract.bus.harness import SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from magnetar.runtime.servers.cluster import ClusterServer
    from magnetar.runtime.servers.pulsar import PulsarServer

APPLICATION = "contract"
NUMBERS = count(1)


class PulsarHarness:
    """Connections of its own for each test, on the run's one server."""

    deadline = 15.0
    quiet = 0.3

    def __init__(self, server: PulsarServer | ClusterServer) -> None:
        self.settings = PulsarSettings(
            service_url=server.service_url, application=APPLICATION, operation_timeout=2, log_file="/dev/null"
        )
        self._admin_url = server.admin_url
        self.admin = Admin(server.admin_url)
        self.bus = PulsarBus(self.settings, Admin(server.admin_url))
        self._others: list[PulsarBus] = []

    def topic(
        self, partitions: int = 1, subscriptions: Iterable[str] = (SUBSCRIPTION,), schema: str | None = None
    ) -> str:
        """As the harness says."""
        name = f"topic-{next(NUMBERS)}"
        topic = WantedTopic(name=name, partitions=partitions, schema=schema, subscriptions=tuple(subscriptions))
        wanted = Wanted(application=APPLICATION, topics=(topic,))
        apply(self.admin, plan(wanted, survey(self.admin, wanted)))
        return name

    def register(self, topic: str, schema: str) -> int:
        """As the harness says."""
        return self.admin.add_schema(self.settings.topic(topic), schema)

    def other(self) -> PulsarBus:
        """As the harness says."""
        bus = PulsarBus(self.settings, Admin(self._admin_url))
        self._others.append(bus)
        return bus

    def log(self, topic: str, partition: int) -> list[Delivery]:
        """As the harness says: by a reader of the client itself, not by our adapter."""
        quiet = pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null")
        client = pulsar.Client(self.settings.service_url, logger=quiet)
        try:
            name = self.settings.partition(topic, partition)
            reader = client.create_reader(name, pulsar.MessageId.earliest)
            found: list[Delivery] = []
            while reader.has_message_available():
                found.append(read(reader.read_next(5000), topic, partition))
            return found
        finally:
            client.close()

    def unload(self, topic: str, partition: int) -> None:
        """As the harness says: over the REST API."""
        self._tell("PUT", f"{self._place(topic, partition)}/unload")

    def rewind(self, topic: str, partition: int, subscription: str) -> None:
        """As the harness says: to the first instant there is."""
        self._tell("POST", f"{self._place(topic, partition)}/subscription/{subscription}/resetcursor/0")

    def _place(self, topic: str, partition: int) -> str:
        return self.settings.partition(topic, partition).replace("://", "/")

    def _tell(self, method: str, path: str) -> None:
        httpx2.request(method, f"{self._admin_url}/admin/v2/{path}", timeout=self.deadline).raise_for_status()

    def close(self) -> None:
        """Close all connections."""
        for bus in (self.bus, *self._others):
            bus.close()
        self.admin.close()


def read(message: Any, topic: str, partition: int) -> Delivery:
    """A message of a reader, in our words."""
    at = message.message_id()
    version = message._message.int_schema_version()
    return Delivery(
        topic=topic,
        partition=partition,
        position=Position(at.ledger_id(), at.entry_id(), at.batch_index()),
        key=message.partition_key() or None,
        body=message.data(),
        properties=message.properties(),
        published_at=message.publish_timestamp() * 1000,
        schema_version=None if version < 0 else version,
    )


@pytest.fixture
def pulsar_harness(pulsar_server: PulsarServer) -> Generator[PulsarHarness]:
    """A real Pulsar."""
    harness = PulsarHarness(pulsar_server)
    yield harness
    harness.close()
