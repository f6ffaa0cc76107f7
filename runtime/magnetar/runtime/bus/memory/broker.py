"""The durable part of the in-process bus: what stays when a worker's whole memory is dropped."""

from __future__ import annotations

from itertools import count
from threading import RLock
from typing import TYPE_CHECKING

from magnetar.runtime.bus.memory.faults import Answers, Trouble
from magnetar.runtime.bus.memory.partition import Partition
from magnetar.runtime.bus.memory.schemas import TopicSchemas
from magnetar.runtime.bus.port import Refused, TopicMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from magnetar.runtime.bus.port import Delivery, Position
    from magnetar.runtime.instant import Instant


class Topic:
    """A provisioned topic: its partitions and the schemas its producers may use."""

    def __init__(self, name: str, partitions: list[Partition], schemas: TopicSchemas) -> None:
        self.name = name
        self.partitions = partitions
        self.schemas = schemas


class Broker:
    """Topics with their logs, cursors, producer numbers and schemas; any thread may use it.

    One lock guards everything, for a real broker's answers are serial too; nothing blocks while holding it.
    `clock` stamps what is published over a connection that has no clock of its own. `receiver_queue` is how many
    messages the broker hands a consumer ahead of its reading (200, as DESIGN §6 has it). A broker whose workers keep
    their store from one process to the next must begin above all ledgers of its predecessors (`first_ledger`), for
    the positions stored then must lie below those to come.
    """

    def __init__(self, clock: Callable[[], Instant], receiver_queue: int = 200, first_ledger: int = 1) -> None:
        self.clock = clock
        self.receiver_queue = receiver_queue
        self.lock = RLock()
        self.answers = Answers()
        self._ledgers = count(first_ledger)
        self._topics: dict[str, Topic] = {}

    def provision(
        self, topic: str, partitions: int, subscriptions: Iterable[str] = (), *, open_to_new_schemas: bool = True
    ) -> None:
        """Make the topic and its subscriptions, as far as they are not there; a subscription starts at the earliest.

        The number of partitions is for life: asking for another one is `Refused`.
        """
        with self.lock:
            found = self._topics.get(topic)
            if found is None:
                found = self._topics[topic] = self._made(topic, partitions, open_to_new_schemas)
            if len(found.partitions) != partitions:
                raise Refused(f"{topic} has {len(found.partitions)} partitions, which cannot become {partitions}")
            for subscription in subscriptions:
                for partition in found.partitions:
                    partition.add_subscription(subscription)

    def register_schema(self, topic: str, text: str) -> int:
        """Add a version to the topic's schema, as the operator does; its number."""
        with self.lock:
            return self.topic(topic).schemas.register(text)

    def topic(self, name: str) -> Topic:
        """The topic of this name; `TopicMissing`."""
        found = self._topics.get(name)
        if found is None:
            raise TopicMissing(f"there is no topic {name}: provision it first")
        return found

    def partition(self, topic: str, number: int) -> Partition:
        """One partition of a topic; `TopicMissing`."""
        partitions = self.topic(topic).partitions
        if not 0 <= number < len(partitions):
            raise TopicMissing(f"{topic} has no partition {number}, only 0 to {len(partitions) - 1}")
        return partitions[number]

    def topics(self) -> list[str]:
        """The names of all topics, in the order of their provisioning."""
        with self.lock:
            return list(self._topics)

    def log(self, topic: str, partition: int) -> list[Delivery]:
        """Every message ever stored in the partition, acknowledged or not: the independent read for checkers."""
        with self.lock:
            return list(self.partition(topic, partition).log.deliveries)

    def acknowledged(self, topic: str, partition: int, subscription: str) -> Position | None:
        """Up to where the subscription is acknowledged; None for nothing. For checkers."""
        with self.lock:
            found = self.partition(topic, partition)
            cursor = found.subscription(subscription).cursor
            return found.log.deliveries[cursor - 1].position if cursor else None

    def backlog(self, topic: str, partition: int, subscription: str) -> int:
        """How many messages the subscription has not acknowledged. For checkers."""
        with self.lock:
            found = self.partition(topic, partition)
            return len(found.log.deliveries) - found.subscription(subscription).cursor

    def _made(self, topic: str, partitions: int, open_to_new_schemas: bool) -> Topic:  # noqa: FBT001
        if partitions < 1:
            raise Refused(f"{topic} must have a partition at least, not {partitions}")
        made = [Partition(topic, number, self.lock, self._ledgers, Trouble()) for number in range(partitions)]
        return Topic(topic, made, TopicSchemas(topic, open_to_new=open_to_new_schemas))
