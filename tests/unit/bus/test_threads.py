"""The in-process bus under several threads: senders, a receiver per partition, and a broker that moves partitions."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.memory import Broker, Faults, MemoryBus
from magnetar.runtime.bus.port import Closed
from tests.contract.bus.harness import until
from tests.unit.bus.broker import SUBSCRIPTION, TOPIC, message, there, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.port import Consumer

SENDERS = 3
EACH = 2_000
DEADLINE = 30.0


def run_all(works: list[Callable[[], None]]) -> None:
    """Run each in a thread of its own, all at once; none may fail or be late."""
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (told to the test below)
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert failures == []
    assert not any(thread.is_alive() for thread in threads)


def drained(consumer: Consumer, into: list[int], count: int) -> None:
    """Receive and acknowledge until `count` different messages have come."""
    seen: set[int] = set()
    while len(seen) < count:
        found = consumer.receive(200, 1)
        if found:
            consumer.acknowledge(found[-1].position)
        into.extend(told(found))
        seen.update(told(found))


def test_many_senders_one_receiver() -> None:
    """Nothing is lost and each sender's order is kept, while a receiver sleeps and wakes beside them."""
    broker = Broker(lambda: 0)
    broker.provision(TOPIC, 1, [SUBSCRIPTION])
    bus = MemoryBus(broker, "worker")
    received: list[int] = []

    def send(sender: int) -> None:
        producer = there(bus.produce(TOPIC, 0, f"sender {sender}", None))
        for number in range(1, EACH + 1):
            producer.send(number, message(sender * EACH + number))
        assert [receipt.number for receipt in producer.receipts()] == list(range(1, EACH + 1))

    consumer = there(bus.subscribe(TOPIC, 0, SUBSCRIPTION))
    run_all(
        [
            lambda: drained(consumer, received, SENDERS * EACH),
            *[lambda sender=sender: send(sender) for sender in range(SENDERS)],
        ]
    )
    assert sorted(received) == list(range(1, SENDERS * EACH + 1))
    for sender in range(SENDERS):
        own = [number for number in received if sender * EACH < number <= (sender + 1) * EACH]
        assert own == sorted(own)
    assert broker.backlog(TOPIC, 0, SUBSCRIPTION) == 0


def test_unloads_under_traffic_lose_nothing() -> None:
    """While partitions move, everything arrives at least once and is stored exactly once."""
    broker = Broker(lambda: 0)
    broker.provision(TOPIC, 1, [SUBSCRIPTION])
    bus, faults = MemoryBus(broker, "worker"), Faults(broker)
    consumer = there(bus.subscribe(TOPIC, 0, SUBSCRIPTION))
    producer = there(bus.produce(TOPIC, 0, "sender", None))
    received: list[int] = []
    over = threading.Event()

    def send() -> None:
        for number in range(1, EACH + 1):
            producer.send(number, message(number))
        over.set()

    def move() -> None:
        while not over.is_set():
            faults.unload(TOPIC, 0, forget_acks=1)

    run_all([send, move, lambda: drained(consumer, received, EACH)])
    assert told(broker.log(TOPIC, 0)) == list(range(1, EACH + 1))
    assert set(received) == set(range(1, EACH + 1))


def waits(broker: Broker, partition: int) -> bool:
    """Whether a receiver sleeps on the partition."""
    return bool(vars(broker.partition(TOPIC, partition).arrived)["_waiters"])


def after_sleep(broker: Broker, partitions: int, act: Callable[[], None]) -> None:
    """Act once a receiver sleeps on each partition."""
    until(lambda: all(waits(broker, number) for number in range(partitions)) or None, DEADLINE, "receivers asleep")
    act()


def test_a_killed_process_wakes_its_receivers() -> None:
    """A receiver thread that outlives its dropped process meets `Closed` at once, not after its wait."""
    broker = Broker(lambda: 0)
    broker.provision(TOPIC, 2, [SUBSCRIPTION])
    bus = MemoryBus(broker, "worker")
    started = time.monotonic()

    def receive(partition: int) -> None:
        consumer = there(bus.subscribe(TOPIC, partition, SUBSCRIPTION))
        with pytest.raises(Closed):
            consumer.receive(10, DEADLINE)

    run_all([lambda: receive(0), lambda: receive(1), lambda: after_sleep(broker, 2, bus.disconnect)])
    assert time.monotonic() - started < DEADLINE / 2


def test_a_redelivery_wakes_the_receiver() -> None:
    """A receiver that sleeps because it has read everything gets what comes again at once."""
    broker = Broker(lambda: 0)
    broker.provision(TOPIC, 1, [SUBSCRIPTION])
    bus = MemoryBus(broker, "worker")
    there(bus.produce(TOPIC, 0, "sender", None)).send(1, message(1))
    consumer = there(bus.subscribe(TOPIC, 0, SUBSCRIPTION))
    received = told(consumer.receive(10, 0))
    started = time.monotonic()
    run_all(
        [
            lambda: received.extend(told(consumer.receive(10, DEADLINE))),
            lambda: after_sleep(broker, 1, lambda: Faults(broker).unload(TOPIC, 0)),
        ]
    )
    assert received == [1, 1]
    assert time.monotonic() - started < DEADLINE / 2
