"""The bus on an Apache Pulsar cluster."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Protocol

from magnetar.runtime.bus.port import TopicMissing
from magnetar.runtime.bus.pulsar import errors, native
from magnetar.runtime.bus.pulsar.closing import Farewell, close_clients
from magnetar.runtime.bus.pulsar.consumer import PulsarConsumer
from magnetar.runtime.bus.pulsar.opening import Arrival, PulsarOpening
from magnetar.runtime.bus.pulsar.producer import PulsarProducer

if TYPE_CHECKING:
    from magnetar.runtime.bus.pulsar.native import NativeConsumer, NativeProducer
    from magnetar.runtime.bus.pulsar.settings import PulsarSettings

_log = logging.getLogger(__name__)


class Subscriptions(Protocol):
    """Who can tell whether a subscription exists; the REST API can, the binary protocol cannot."""

    def has_subscription(self, partition_topic: str, subscription: str) -> bool:
        """Whether the topic behind one partition has it. May block; raises `BusError`."""
        ...


class PulsarBus:
    """See `Bus`. Connections of one application to one cluster.

    Three clients of their own: a refused send makes the C++ client close its whole connection, which must not take
    the consumers along; and the schema client has a shorter time-out than openings may have. Do not fork a process
    that has one of these.

    Args:
        settings: where, and how long to wait.
        subscriptions: asked when a subscribe times out, to tell a missing subscription from a silent broker;
            without it both are `BusUnavailable`.
    """

    def __init__(self, settings: PulsarSettings, subscriptions: Subscriptions | None = None) -> None:
        self._settings = settings
        self._subscriptions = subscriptions
        self._consuming = native.connect(settings, settings.operation_timeout)
        self._producing = native.connect(settings, settings.operation_timeout)
        self._schemas = native.connect(settings, settings.schema_timeout)
        self._consumers_farewell = Farewell(settings.close_timeout)
        self._producers_farewell = Farewell(settings.close_timeout)
        self._asking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pulsar-subscriptions")

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has. Blocks up to the operation time-out: called at start only."""
        name = self._settings.topic(topic)
        try:
            partitions = self._consuming.get_topic_partitions(name)
        except native.PulsarException as failure:
            raise errors.from_exception(failure, f"ask for the partitions of {name}") from failure
        if list(partitions) == [name]:
            raise TopicMissing(f"{name} has no partitions; provision it with `magnetar topics apply`")
        return len(partitions)

    def subscribe(self, topic: str, partition: int, subscription: str) -> PulsarOpening[NativeConsumer, PulsarConsumer]:
        """Ask for the Exclusive subscription; `poll` raises `Busy` while somebody holds it."""
        settings, name = self._settings, self._settings.partition(topic, partition)
        arrival: Arrival[NativeConsumer] = Arrival()
        self._consuming.subscribe_async_v2(
            name, subscription, native.consumer_configuration(settings.receiver_queue), arrival
        )
        wrap = partial(PulsarConsumer, topic=topic, partition=partition, farewell=self._consumers_farewell)
        doing = f"subscribe to {name} as {subscription}"
        if self._subscriptions is None:
            doing += " (whether there is such a subscription, `magnetar topics plan` tells)"
            return PulsarOpening(arrival, wrap, doing, self._deadline)
        absent = partial(self._is_absent, self._subscriptions, name, subscription)
        return PulsarOpening(arrival, wrap, doing, self._deadline, absent)

    def produce(
        self, topic: str, partition: int, name: str, schema: str | None
    ) -> PulsarOpening[NativeProducer, PulsarProducer]:
        """Open the producer `name`; it registers the schema where the topic has none like it."""
        settings, full = self._settings, self._settings.partition(topic, partition)
        arrival: Arrival[NativeProducer] = Arrival()
        self._producing.create_producer_async_v2(
            full, native.producer_configuration(name, schema, settings.max_pending), arrival
        )
        wrap = partial(
            PulsarProducer,
            name=f"{topic}/{partition} as {name}",
            send_timeout=settings.send_timeout,
            farewell=self._producers_farewell,
        )
        return PulsarOpening(arrival, wrap, f"open the producer {name} on {full}", self._deadline)

    def schema(self, topic: str, version: int) -> str | None:
        """The Avro schema with which a message was written, or None. Blocks no longer than the schema time-out."""
        name = self._settings.topic(topic)
        try:
            schema = self._schemas.get_schema_info(name, version)
        except native.TopicNotFound:
            return None
        except native.PulsarException as failure:
            raise errors.from_exception(failure, f"fetch schema {version} of {name}") from failure
        return schema.schema() if native.is_avro(schema) else None

    def close(self) -> None:
        """Close everything opened through this bus; waits up to twice the close time-out."""
        self._asking.shutdown(wait=False, cancel_futures=True)
        clients = (self._producing, self._consuming, self._schemas)
        if not close_clients(clients, within=2 * self._settings.close_timeout):
            _log.warning("closing the connections to %s: no answer from the broker", self._settings.service_url)

    @property
    def _deadline(self) -> float:
        return 2 * self._settings.operation_timeout  # the client keeps its own time-out; this one is for its defects

    def _is_absent(self, subscriptions: Subscriptions, partition_topic: str, subscription: str) -> Future[bool]:
        return self._asking.submit(lambda: not subscriptions.has_subscription(partition_topic, subscription))
