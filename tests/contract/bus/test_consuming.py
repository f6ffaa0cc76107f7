"""The contract of a consumer: order, exclusiveness, redelivery, cumulative acknowledgement."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.port import BusError, Busy, Closed, Outgoing, Position
from tests.contract.bus.harness import SUBSCRIPTION, Bench, bodies, plain, until

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Delivery

CLOCK_STEP = 1000
"""Microseconds by which a broker may round a time."""


def test_messages_come_in_the_order_of_sending(bench: Bench) -> None:
    """Each partition hands out its own messages, in the order in which they were stored."""
    topic = bench.harness.topic(partitions=3)
    for partition in range(3):
        bench.sent(bench.producer(topic, partition), bodies(300, first=1000 * partition))
    for partition in range(3):
        found = bench.received(bench.consumer(topic, partition), 300)
        assert [delivery.body for delivery in found] == bodies(300, first=1000 * partition)
        assert {(delivery.topic, delivery.partition) for delivery in found} == {(topic, partition)}


def test_positions_ascend_and_are_those_of_the_receipts(bench: Bench) -> None:
    """A position is the same in the receipt, in the delivery and after a round trip through its text."""
    topic = bench.harness.topic()
    positions = bench.sent(bench.producer(topic), bodies(20))
    found = [delivery.position for delivery in bench.received(bench.consumer(topic), 20)]
    assert found == positions == sorted(set(positions))
    assert [Position.parse(str(position)) for position in found] == positions


@pytest.mark.parametrize("key", ["o-1", "Auftrag/Ü-7", None])
@pytest.mark.parametrize("body", [b"", b"\x00\xff\x80 any bytes"])
def test_what_is_sent_comes_through(bench: Bench, key: str | None, body: bytes) -> None:
    """Key, body, properties and the publisher's time arrive as they were given."""
    topic = bench.harness.topic()
    producer = bench.producer(topic)
    properties = {"message_id": "0190-1", "type": "shop.Place", "note": "ü → 日本", "empty": ""}
    before = time.time_ns() // 1000
    producer.send(1, Outgoing(key, body, properties))
    properties["note"] = "changed after sending"
    bench.receipts(producer, 1)
    (found,) = bench.received(bench.consumer(topic), 1)
    assert (found.key, found.body) == (key, body)
    assert dict(found.properties) == {"message_id": "0190-1", "type": "shop.Place", "note": "ü → 日本", "empty": ""}
    assert before - CLOCK_STEP <= found.published_at <= time.time_ns() // 1000 + CLOCK_STEP


def test_the_independent_read_sees_what_was_stored(bench: Bench) -> None:
    """What a consumer gets and what stands in the partition are the same, also after the acknowledgement."""
    topic = bench.harness.topic()
    bench.sent(bench.producer(topic), bodies(5))
    consumer = bench.consumer(topic)
    found = bench.received(consumer, 5)
    consumer.acknowledge(found[-1].position)
    assert bench.harness.log(topic, 0) == found


def test_a_list_is_no_longer_than_asked(bench: Bench) -> None:
    """`receive` hands out up to its limit and keeps the rest for the next call."""
    topic = bench.harness.topic()
    bench.sent(bench.producer(topic), bodies(10))
    consumer = bench.consumer(topic)
    first = until(lambda: consumer.receive(3, 0.1) or None, bench.harness.deadline, "messages")
    assert len(first) <= 3
    rest = bench.received(consumer, 10 - len(first))
    assert [delivery.body for delivery in first + rest] == bodies(10)


def test_without_waiting_an_empty_partition_gives_nothing(bench: Bench) -> None:
    """`receive(limit, 0)` returns at once."""
    consumer = bench.consumer(bench.harness.topic())
    started = time.monotonic()
    assert consumer.receive(10, 0) == []
    assert time.monotonic() - started < 0.5


def test_a_waiting_receiver_is_woken_by_a_message(bench: Bench) -> None:
    """`receive` returns when the first message comes, long before its wait is over."""
    topic = bench.harness.topic()
    consumer, producer = bench.consumer(topic), bench.producer(topic)
    found: list[Delivery] = []
    thread = threading.Thread(target=lambda: found.extend(consumer.receive(10, 60)))
    thread.start()
    producer.send(1, plain(b"0"))
    thread.join(bench.harness.deadline)
    assert [delivery.body for delivery in found] == [b"0"]


def test_a_waiting_receiver_is_woken_by_closing(bench: Bench) -> None:
    """A thread in `receive` comes back soon after another one closed the consumer, and then meets `Closed`."""
    consumer = bench.consumer(bench.harness.topic())
    ended: list[object] = []

    def receive() -> None:
        try:
            while True:
                ended.append(consumer.receive(10, 1))
        except Closed as error:
            ended.append(error)

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    consumer.close()
    thread.join(bench.harness.deadline)
    assert not thread.is_alive()
    assert isinstance(ended[-1], Closed)


def test_a_subscription_has_one_holder(bench: Bench) -> None:
    """While it is held, neither this connection nor another gets it, and the holder is not disturbed."""
    topic = bench.harness.topic()
    holder = bench.consumer(topic)
    for bus in (bench.bus, bench.harness.other()):
        with pytest.raises(Busy):
            bench.consumer(topic, bus=bus)
    bench.sent(bench.producer(topic), bodies(3))
    assert [delivery.body for delivery in bench.received(holder, 3)] == bodies(3)


def test_each_subscription_gets_every_message(bench: Bench) -> None:
    """Two subscriptions on one partition know nothing of each other."""
    topic = bench.harness.topic(subscriptions=("magnetar-orders", "magnetar-stock"))
    orders, stock = bench.consumer(topic), bench.consumer(topic, subscription="magnetar-stock")
    positions = bench.sent(bench.producer(topic), bodies(4))
    assert [delivery.position for delivery in bench.received(orders, 4)] == positions
    orders.acknowledge(positions[-1])
    assert [delivery.position for delivery in bench.received(stock, 4)] == positions


def test_closing_gives_the_subscription_to_the_next(bench: Bench) -> None:
    """Whoever subscribes after a close gets everything unacknowledged, in order, and what comes later."""
    topic = bench.harness.topic()
    producer = bench.producer(topic)
    bench.sent(producer, bodies(6))
    first = bench.consumer(topic)
    bench.received(first, 4)
    first.close()
    other = bench.harness.other()
    second = bench.opened_when_free(lambda: other.subscribe(topic, 0, SUBSCRIPTION))
    bench.sent(producer, bodies(2, first=6), first=7)
    assert [delivery.body for delivery in bench.received(second, 8)] == bodies(8)


def test_an_acknowledgement_covers_all_before_it(bench: Bench) -> None:
    """After one acknowledgement of the third message, delivery goes on with the fourth."""
    topic = bench.harness.topic()
    bench.sent(bench.producer(topic), bodies(6))
    first = bench.consumer(topic)
    found = bench.received(first, 6)
    first.acknowledge(found[2].position)
    first.close()
    second = bench.opened_when_free(lambda: bench.bus.subscribe(topic, 0, SUBSCRIPTION))
    assert bench.received(second, 3) == found[3:]


def test_an_acknowledgement_from_the_past_takes_nothing_back(bench: Bench) -> None:
    """Acknowledging the first message after the last leaves all acknowledged."""
    topic = bench.harness.topic()
    producer = bench.producer(topic)
    bench.sent(producer, bodies(3))
    first = bench.consumer(topic)
    found = bench.received(first, 3)
    first.acknowledge(found[2].position)
    first.acknowledge(found[0].position)
    first.close()
    second = bench.opened_when_free(lambda: bench.bus.subscribe(topic, 0, SUBSCRIPTION))
    assert bench.silent(second)
    bench.sent(producer, bodies(1, first=3), first=4)
    assert [delivery.body for delivery in bench.received(second, 1)] == [b"3"]


def test_a_closed_consumer_delivers_nothing(bench: Bench) -> None:
    """`receive` raises `Closed`, also when messages had been prefetched, and the consumer is not connected."""
    topic = bench.harness.topic()
    bench.sent(bench.producer(topic), bodies(5))
    consumer = bench.consumer(topic)
    assert consumer.connected()
    bench.received(consumer, 1)
    consumer.close()
    assert not consumer.connected()
    with pytest.raises(Closed):
        consumer.receive(1, 0)


def test_several_are_closed_at_a_time(bench: Bench) -> None:
    """All begin to leave before the first is waited for: none delivers any more, and each partition is free."""
    topic = bench.harness.topic(partitions=3)
    held = [bench.consumer(topic, partition) for partition in range(3)]
    for consumer in held:
        consumer.leave()
        consumer.leave()
    assert not any(consumer.connected() for consumer in held)
    for consumer in held:
        consumer.close()
        with pytest.raises(Closed):
            consumer.receive(1, 0)
    other = bench.harness.other()
    for partition in range(3):
        assert bench.consumer(topic, partition, bus=other).connected()


def test_closing_twice_is_closing_once(bench: Bench) -> None:
    """A second `close` does nothing; it does not take the subscription from its new holder."""
    topic = bench.harness.topic()
    first = bench.consumer(topic)
    first.close()
    second = bench.opened_when_free(lambda: bench.bus.subscribe(topic, 0, SUBSCRIPTION))
    first.close()
    with pytest.raises(Busy):
        bench.consumer(topic, bus=bench.harness.other())
    assert second.connected()


def test_the_end_of_a_partition(bench: Bench) -> None:
    """`end` is None for an empty partition, then the position of the last message, whatever was received."""
    topic = bench.harness.topic(partitions=2)
    consumer, producer = bench.consumer(topic), bench.producer(topic)
    assert consumer.end() is None
    for first, count in ((1, 1), (2, 3)):
        last = bench.sent(producer, bodies(count), first)[-1]
        assert consumer.end() == last
    found = bench.received(consumer, 4)
    consumer.acknowledge(found[-1].position)
    assert consumer.end() == found[-1].position
    assert bench.consumer(topic, 1).end() is None


def test_closing_the_bus_frees_everything(bench: Bench) -> None:
    """All that was opened through a connection is closed with it, and free for others."""
    topic = bench.harness.topic()
    leaving = bench.harness.other()
    consumer, producer = bench.consumer(topic, bus=leaving), bench.producer(topic, bus=leaving)
    leaving.close()
    bench.opened_when_free(lambda: bench.bus.subscribe(topic, 0, SUBSCRIPTION))
    bench.opened_when_free(lambda: bench.bus.produce(topic, 0, "shop/orders/0", None))
    with pytest.raises(Closed):
        consumer.receive(1, 0)
    with pytest.raises(Closed):
        producer.send(1, plain(b"0"))


def test_an_abandoned_opening_holds_nothing(bench: Bench) -> None:
    """Whatever an abandoned opening still opens is closed by itself, be it polled before or not."""
    topic = bench.harness.topic()
    bench.bus.subscribe(topic, 0, SUBSCRIPTION).abandon()
    polled = bench.bus.produce(topic, 0, "shop/orders/0", None)
    bench.opened(polled)
    polled.abandon()
    other = bench.harness.other()
    assert bench.opened_when_free(lambda: other.subscribe(topic, 0, SUBSCRIPTION)).connected()
    bench.opened_when_free(lambda: other.produce(topic, 0, "shop/orders/0", None))


def test_abandoning_what_failed_is_harmless(bench: Bench) -> None:
    """An opening that met `Busy` may be abandoned; the holder keeps what it has."""
    topic = bench.harness.topic()
    holder = bench.consumer(topic)
    opening = bench.bus.subscribe(topic, 0, SUBSCRIPTION)
    with pytest.raises(BusError):
        bench.opened(opening)
    opening.abandon()
    assert holder.connected()
