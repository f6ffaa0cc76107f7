"""What the broker does to those who hold something when their partition moves, or when an operator puts it back.

The simulation rests on these: what the in-process bus claims here is asked of a real broker as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import Closed
from tests.contract.bus.harness import SUBSCRIPTION, bodies, plain, until

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Consumer, Delivery
    from tests.contract.bus.harness import Bench


def again(bench: Bench, consumer: Consumer, count: int) -> list[Delivery]:
    """The next deliveries, in order of coming, until so many different ones were there."""
    found: list[Delivery] = []

    def enough() -> bool | None:
        found.extend(consumer.receive(200, 0.005))
        return True if len({each.position for each in found}) >= count else None

    until(enough, bench.harness.deadline, f"{count} messages")
    return found


def test_what_is_unacknowledged_comes_again_when_the_partition_moves(bench: Bench) -> None:
    """To the very same consumer, in order, from the first that is not acknowledged."""
    topic = bench.harness.topic()
    consumer = bench.consumer(topic)
    bench.sent(bench.producer(topic), bodies(4))
    found = bench.received(consumer, 4)
    consumer.acknowledge(found[1].position)
    bench.harness.unload(topic, 0)
    repeated = again(bench, consumer, 2)
    assert [each.body for each in repeated] in ([b"2", b"3"], [b"0", b"1", b"2", b"3"])
    assert [each.position for each in repeated[-2:]] == [each.position for each in found[2:]]


def test_positions_go_on_ascending_when_the_partition_has_moved(bench: Bench) -> None:
    """So that what was committed stays below all that is to come (R10)."""
    topic = bench.harness.topic()
    producer, consumer = bench.producer(topic), bench.consumer(topic)
    (first,) = bench.sent(producer, bodies(1))
    bench.harness.unload(topic, 0)
    (second,) = bench.sent(producer, bodies(1), first=2)
    assert second > first
    assert [each.position for each in again(bench, consumer, 2)][-1] == second


def test_a_producers_numbers_are_known_when_the_partition_has_moved(bench: Bench) -> None:
    """De-duplication survives the move: what was stored before is dropped after it (R18, R19)."""
    topic = bench.harness.topic()
    producer = bench.producer(topic)
    bench.sent(producer, bodies(3))
    bench.harness.unload(topic, 0)
    producer.close()
    reopened = bench.opened_when_free(lambda: bench.bus.produce(topic, 0, "shop/orders/0", None))
    assert reopened.last_number == 3
    reopened.send(3, plain(b"again"))
    reopened.send(4, plain(b"new"))
    assert [receipt.duplicate for receipt in bench.receipts(reopened, 2)] == [True, False]
    assert [each.body for each in bench.harness.log(topic, 0)] == [*bodies(3), b"new"]


def test_a_producer_goes_on_when_its_partition_has_moved(bench: Bench) -> None:
    """What is sent right after the move arrives once, in order; or its producer fails and a fresh one goes on (R19)."""
    topic = bench.harness.topic()
    producer = bench.producer(topic)
    bench.sent(producer, bodies(1))
    bench.harness.unload(topic, 0)
    unsent = [2, 3]
    try:
        for number in unsent:
            producer.send(number, plain(str(number - 1).encode()))
        receipts = bench.receipts(producer, 2)
    except Closed:
        receipts = []
    if not receipts or any(receipt.error for receipt in receipts):
        producer.close()
        fresh = bench.opened_when_free(lambda: bench.bus.produce(topic, 0, "shop/orders/0", None))
        for number in unsent:
            fresh.send(number, plain(str(number - 1).encode()))
        assert not any(receipt.error for receipt in bench.receipts(fresh, 2))
    assert [each.body for each in bench.harness.log(topic, 0)] == bodies(3)


def test_a_rewound_subscription_delivers_all_of_it_again(bench: Bench) -> None:
    """Also what was acknowledged, in order: the journal must absorb it (R2).

    To the next consumer: Pulsar's client keeps back what the consumer has acknowledged itself, the in-process bus does
    not, which asks more of the engine.
    """
    topic = bench.harness.topic()
    consumer = bench.consumer(topic)
    bench.sent(bench.producer(topic), bodies(4))
    found = bench.received(consumer, 4)
    consumer.acknowledge(found[-1].position)
    bench.harness.rewind(topic, 0, SUBSCRIPTION)
    consumer.close()
    following = bench.opened_when_free(lambda: bench.bus.subscribe(topic, 0, SUBSCRIPTION))
    assert [each.position for each in again(bench, following, 4)] == [each.position for each in found]


def test_another_partition_is_not_disturbed(bench: Bench) -> None:
    """Moving one partition delivers nothing again from another."""
    topic = bench.harness.topic(partitions=2)
    consumer = bench.consumer(topic, 1)
    bench.sent(bench.producer(topic, 1), bodies(2))
    bench.received(consumer, 2)
    bench.harness.unload(topic, 0)
    assert bench.silent(consumer)
    assert consumer.connected()
