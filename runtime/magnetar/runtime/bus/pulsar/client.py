"""The bus on an Apache Pulsar cluster."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Protocol

from magnetar.runtime.bus.port import BusError, BusUnavailable, Closed, Refused, TopicMissing
from magnetar.runtime.bus.pulsar import errors, native
from magnetar.runtime.bus.pulsar.consumer import PulsarConsumer
from magnetar.runtime.bus.pulsar.entrances import Entrances
from magnetar.runtime.bus.pulsar.hosts import hosts_of
from magnetar.runtime.bus.pulsar.marks import Marking
from magnetar.runtime.bus.pulsar.opening import Arrival, PulsarOpening
from magnetar.runtime.bus.pulsar.ping import PulsarPing
from magnetar.runtime.bus.pulsar.probing import Doubt
from magnetar.runtime.bus.pulsar.producer import PulsarProducer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.bus.pulsar.closing import Farewell
    from magnetar.runtime.bus.pulsar.marks import Mark
    from magnetar.runtime.bus.pulsar.native import NativeConsumer, NativeProducer, NativeResult
    from magnetar.runtime.bus.pulsar.settings import PulsarSettings

_log = logging.getLogger(__name__)

_ASKING = 4  # threads for the REST API: openings come by the dozen, and an answer takes some milliseconds


class Subscriptions(Protocol):
    """Who can tell of subscriptions; the REST API can, the binary protocol cannot. Any thread; may block."""

    def has_subscription(self, partition_topic: str, subscription: str) -> bool:
        """Whether the topic behind one partition has it. Raises `BusError`."""
        ...

    def mark(self, partition_topic: str, subscription: str) -> Mark:
        """How far it is acknowledged. Raises `BusError`."""
        ...

    def partitions(self, topic: str) -> int | None:
        """How many partitions a topic has. Raises `BusError`: `Refused` for a token that is not taken."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class PulsarBus:
    """See `Bus`. Connections of one application to one cluster. Do not fork a process that has one of these.

    Args:
        settings: where, and how long to wait.
        subscriptions: asked when a subscription is opened, for `Consumer.cursor`, and when that times out, to tell a
            missing subscription from a silent broker. Without it nothing can be subscribed: nobody could tell whether
            the store went back (R11). Closed with the bus.
    """

    def __init__(self, settings: PulsarSettings, subscriptions: Subscriptions | None = None) -> None:
        self._settings = settings
        self._subscriptions = subscriptions
        self._entrances = Entrances(settings)
        self._closed = False
        self._asking = ThreadPoolExecutor(_ASKING, thread_name_prefix="pulsar-subscriptions")

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has. Blocks for up to two operation and one mark time-out: at start only.

        `Refused` when the REST API does not take our token: to the client, a broker that does not is a silent one.
        """
        name = self._settings.topic(topic)
        try:
            partitions = self._partitions(name)
        except native.PulsarException as failure:
            error = errors.from_exception(failure, f"ask for the partitions of {name}")
            raise self._explained(error, name) from failure
        unread: dict[NativeResult, Sequence[str]] = {}  # to connect before it is needed
        self._entrances.now(name).producing.get_topic_partitions_async(name, unread.setdefault)
        if list(partitions) == [name]:
            raise TopicMissing(f"{name} has no partitions; provision it with `magnetar topics apply`")
        return len(partitions)

    def subscribe(self, topic: str, partition: int, subscription: str) -> PulsarOpening[NativeConsumer, PulsarConsumer]:
        """Ask for the Exclusive subscription; `poll` raises `Busy` while somebody holds it."""
        settings, entrances, asked = self._settings, self._entrances, self._subscriptions
        name = settings.partition(topic, partition)
        doing = f"subscribe to {name} as {subscription}"
        if asked is None:
            raise Refused(f"{doing}: only the REST API tells how far it is acknowledged, and none is known")
        clients = entrances.now(settings.topic(topic))
        arrival: Arrival[NativeConsumer] = Arrival()
        clients.consuming.subscribe_async_v2(
            name, subscription, native.consumer_configuration(settings.receiver_queue), arrival
        )
        ask = partial(self._mark, asked, name, subscription)
        marking = Marking(ask, f"{subscription} on {name}", settings.mark_timeout)
        wrap = partial(self._consumer, clients.consumers_farewell, entrances, topic, partition, marking)
        return PulsarOpening(arrival, wrap, doing, self._deadline, partial(self._is_absent, asked, name, subscription))

    def produce(
        self, topic: str, partition: int, name: str, schema: str | None
    ) -> PulsarOpening[NativeProducer, PulsarProducer]:
        """Open the producer `name`; it registers the schema where the topic has none like it."""
        settings, entrances = self._settings, self._entrances
        clients = entrances.now(settings.topic(topic))
        full = settings.partition(topic, partition)
        arrival: Arrival[NativeProducer] = Arrival()
        clients.producing.create_producer_async_v2(
            full, native.producer_configuration(name, schema, settings.max_pending), arrival
        )
        wrap = partial(
            PulsarProducer,
            name=f"{topic}/{partition} as {name}",
            send_timeout=settings.send_timeout,
            farewell=clients.producers_farewell,
            silent=partial(entrances.ask, settings.topic(topic)),
        )
        return PulsarOpening(arrival, wrap, f"open the producer {name} on {full}", self._deadline)

    def ping(self, topic: str) -> PulsarPing:
        """Ask for the partitions of a topic, to see whether a broker answers."""
        settings, name = self._settings, self._settings.topic(topic)
        self._entrances.ask(name)
        asked = self._entrances.all.questions.ask(name, hosts=len(hosts_of(settings.service_url)))
        return PulsarPing(asked, f"ask for the partitions of {name}", settings.ping_timeout)

    def renew(self) -> None:
        """Connect anew; the old clients are closed in threads of their own, which end after the operation time-out."""
        if self._closed:
            raise Closed(f"the connections to {self._settings.service_url} are closed")
        former, self._entrances = self._entrances, self._entrances.renewed()
        former.close(within=0)

    def schema(self, topic: str, version: int) -> str | None:
        """The Avro schema with which a message was written, or None. Blocks no longer than the schema time-out."""
        name = self._settings.topic(topic)
        try:
            schema = self._entrances.now(name).schemas.get_schema_info(name, version)
        except native.TopicNotFound:
            return None
        except native.PulsarException as failure:
            raise errors.from_exception(failure, f"fetch schema {version} of {name}") from failure
        return schema.schema() if native.is_avro(schema) else None

    def close(self) -> None:
        """Close everything opened through this bus; waits up to twice the close time-out."""
        self._closed = True
        self._asking.shutdown(wait=False, cancel_futures=True)
        if self._subscriptions is not None:
            self._subscriptions.close()
        if not self._entrances.close(within=2 * self._settings.close_timeout):
            _log.warning("closing the connections to %s: no answer from the broker", self._settings.service_url)

    def _partitions(self, name: str) -> Sequence[str]:
        """Asked again when the hosts that were asked proved to be silent by failing to answer (R32).

        A worker that is started knows nothing of its hosts yet, and the client asks the first one first. Whoever
        starts it again knows no more: it would begin only when that host is back.
        """
        clients = self._entrances.now(name)
        try:
            return clients.consuming.get_topic_partitions(name)
        except native.PulsarException:
            others = self._entrances.now(name)
            if others is clients:
                raise
            return others.consuming.get_topic_partitions(name)

    def _explained(self, error: BusError, name: str) -> BusError:
        if not isinstance(error, BusUnavailable):
            return error
        if self._subscriptions is None:
            return BusUnavailable(f"{error} (if it does not take our token, `magnetar topics plan` tells)")
        asked = self._asking.submit(self._subscriptions.partitions, name)
        try:
            asked.result(self._settings.mark_timeout)
        except Refused as refused:
            return refused
        except (BusError, TimeoutError) as failure:
            _log.debug("nor does the REST API tell why %s does not answer: %s", self._settings.service_url, failure)
        return error

    @property
    def _deadline(self) -> float:
        return 2 * self._settings.operation_timeout  # the client keeps its own time-out; this one is for its defects

    def _consumer(
        self,
        farewell: Farewell,
        entrances: Entrances,
        topic: str,
        partition: int,
        marking: Marking,
        consumer: NativeConsumer,
    ) -> PulsarConsumer:
        """Ours of the client's. How far it is acknowledged can be asked from now on: nobody else can move it."""
        return PulsarConsumer(
            consumer,
            marking,
            topic=topic,
            partition=partition,
            farewell=farewell,
            patience=self._deadline,
            doubt=Doubt(consumer, entrances.partly_silent, self._settings.probe_timeout),
        )

    def _mark(self, subscriptions: Subscriptions, partition_topic: str, subscription: str) -> Future[Mark]:
        return self._asking.submit(subscriptions.mark, partition_topic, subscription)

    def _is_absent(self, subscriptions: Subscriptions, partition_topic: str, subscription: str) -> Future[bool]:
        return self._asking.submit(lambda: not subscriptions.has_subscription(partition_topic, subscription))
