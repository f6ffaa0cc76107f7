"""The connection of one process to the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from magnetar.runtime.bus.memory.consumer import MemoryConsumer
from magnetar.runtime.bus.memory.opening import MemoryAnswer, MemoryOpening
from magnetar.runtime.bus.memory.producer import MemoryProducer
from magnetar.runtime.bus.memory.seat import Member
from magnetar.runtime.bus.port import BusUnavailable, Closed

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.memory.broker import Broker
    from magnetar.runtime.instant import Instant

M = TypeVar("M", bound=Member)


class MemoryBus:
    """A `Bus` to a broker in this process.

    `name` is the process's, told to whoever finds it holding something. `clock` stamps its messages (default:
    the broker's). The connection's own troubles are methods here, what goes wrong at the broker is in `faults`:
    both are told there.
    """

    def __init__(self, broker: Broker, name: str, clock: Callable[[], Instant] | None = None) -> None:
        self.name = name
        self.offline = False
        self.frozen = False
        self.closed = False
        self._broker = broker
        self._clock = clock or broker.clock
        self._healed_asleep = False
        self._renewals = 0
        self._members: list[Member] = []

    def partitions(self, topic: str) -> int:
        """As the port says."""
        with self._broker.lock:
            self._reach()
            return len(self._broker.topic(topic).partitions)

    def subscribe(self, topic: str, partition: int, subscription: str) -> MemoryOpening[MemoryConsumer]:
        """As the port says; tried at once."""
        return self._opening(lambda: self._consumer(topic, partition, subscription))

    def produce(self, topic: str, partition: int, name: str, schema: str | None) -> MemoryOpening[MemoryProducer]:
        """As the port says; tried at once."""
        return self._opening(lambda: self._producer(topic, partition, name, schema))

    def ping(self, topic: str) -> MemoryAnswer[float]:
        """As the port says; answered at once."""
        return MemoryAnswer(lambda: self._pinged(topic))

    def renew(self) -> None:
        """As the port says: what was held is given back, and a cut network stays cut."""
        with self._broker.lock:
            if self.closed:
                raise Closed(f"the connection of {self.name} is closed")
            self._renewals += 1
            self._drop()

    def schema(self, topic: str, version: int) -> str | None:
        """As the port says."""
        with self._broker.lock:
            self._reach()
            return self._broker.topic(topic).schemas.text(version)

    def close(self) -> None:
        """As the port says."""
        with self._broker.lock:
            self.closed = True
            self._drop()

    def answers(self) -> bool:
        """Whether the broker's liveness probe finds this process."""
        return not (self.frozen or self.offline or self.closed)

    def disconnect(self) -> None:
        """The process is killed: the broker frees all it held at once. Its threads, if any are left, meet `Closed`."""
        self.close()

    def freeze(self) -> None:
        """The process is stopped and keeps what it holds, until somebody else asks for it."""
        with self._broker.lock:
            self.frozen = True

    def thaw(self) -> None:
        """The process goes on. What it lost meanwhile is dead, or taken again where nobody else holds it."""
        with self._broker.lock:
            self.frozen = False
            for member in self._members:
                if self._healed_asleep or not member.seated():
                    member.resume()
            self._healed_asleep = False

    def cut(self) -> None:
        """The network between this process and the broker is cut: nothing goes through, and nobody is told."""
        with self._broker.lock:
            self.offline = True
            for member in self._members:
                member.lost()

    def heal(self) -> None:
        """The network is back: the client connects anew, and what is unacknowledged comes again."""
        with self._broker.lock:
            self.offline = False
            self._healed_asleep = self.frozen  # a frozen client reconnects when it wakes up
            for member in self._members:
                member.resume()

    def _reach(self) -> None:
        if self.closed:
            raise Closed(f"the connection of {self.name} is closed")
        if self.offline:
            raise BusUnavailable(f"{self.name} is cut off from the broker")

    def _drop(self) -> None:
        for member in self._members:
            member.close()
        self._members.clear()

    def _opening(self, attempt: Callable[[], M]) -> MemoryOpening[M]:
        renewals = self._renewals

        def attempted() -> M:
            if renewals != self._renewals:
                raise Closed(f"{self.name} has connected anew since this was asked: ask again")
            return attempt()

        return MemoryOpening(attempted, self._broker.answers)

    def _pinged(self, topic: str) -> float:
        self.partitions(topic)
        return 0.0

    def _consumer(self, topic: str, partition: int, subscription: str) -> MemoryConsumer:
        with self._broker.lock:
            self._reach()
            found = self._broker.partition(topic, partition)
            seat = found.subscription(subscription)
            return self._seated(MemoryConsumer(self, found, seat, self._broker.receiver_queue, self._broker.answers))

    def _producer(self, topic: str, partition: int, name: str, schema: str | None) -> MemoryProducer:
        with self._broker.lock:
            self._reach()
            found = self._broker.partition(topic, partition)
            version = self._broker.topic(topic).schemas.version_for(schema)
            return self._seated(MemoryProducer(self, found, found.name(name), version, self._clock))

    def _seated(self, member: M) -> M:
        member.seat.take(member)
        self._members = [known for known in self._members if not known.closed]
        self._members.append(member)
        return member
