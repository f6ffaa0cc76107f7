"""A small in-process broker and the few verbs the tests of its faults are written in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from magnetar.runtime.bus.memory import Broker, Faults, MemoryBus
from magnetar.runtime.bus.port import Outgoing

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Consumer, Delivery, Opening, Producer, Receipt

T = TypeVar("T")

TOPIC = "orders"
SUBSCRIPTION = "magnetar-orders"
NAME = "shop/orders/0"


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        """Microseconds since the epoch."""
        return self.now


class Bench:
    """One topic with two partitions, a receiver queue of five, and two processes."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.broker = Broker(self.clock, receiver_queue=5)
        self.broker.provision(TOPIC, 2, [SUBSCRIPTION])
        self.faults = Faults(self.broker)
        self.one = MemoryBus(self.broker, "one")
        self.two = MemoryBus(self.broker, "two")

    def consumer(self, bus: MemoryBus) -> Consumer:
        """The subscription on partition 0."""
        return there(bus.subscribe(TOPIC, 0, SUBSCRIPTION))

    def producer(self, bus: MemoryBus, name: str = NAME) -> Producer:
        """A producer on partition 0."""
        return there(bus.produce(TOPIC, 0, name, None))

    def fill(self, count: int) -> None:
        """Publish `count` more messages to partition 0, by a stranger."""
        first = len(self.stored()) + 1
        producer = self.producer(MemoryBus(self.broker, "filler"), f"filler {first}")
        for number in range(first, first + count):
            producer.send(number, message(number))
        producer.close()

    def stored(self) -> list[int]:
        """What is in partition 0."""
        return told(self.broker.log(TOPIC, 0))


def there(opening: Opening[T]) -> T:
    """What is opened, which must be there at once."""
    opened = opening.poll()
    assert opened is not None
    return opened


def message(number: int) -> Outgoing:
    """A message whose body is a number."""
    return Outgoing("o-1", str(number).encode(), {})


def told(deliveries: list[Delivery]) -> list[int]:
    """The numbers in the bodies."""
    return [int(delivery.body) for delivery in deliveries]


def outcomes(receipts: list[Receipt]) -> list[tuple[int, str]]:
    """Each receipt as its number and what became of it: stored, duplicate or the class of the error."""
    return [(receipt.number, outcome(receipt)) for receipt in receipts]


def outcome(receipt: Receipt) -> str:
    """What became of a message."""
    if receipt.error is not None:
        return type(receipt.error).__name__
    return "duplicate" if receipt.duplicate else "stored"
