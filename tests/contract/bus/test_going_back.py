"""The contract of going back (R11): how far a subscription is acknowledged, and putting it back to a position."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.port import EARLIEST, Closed, Position, Refused
from tests.contract.bus.harness import SUBSCRIPTION, Bench, bodies

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Consumer, Delivery


def taken_again(bench: Bench, topic: str) -> Consumer:
    """The subscription, by whoever comes next."""
    return bench.opened_when_free(lambda: bench.bus.subscribe(topic, 0, SUBSCRIPTION))


def acknowledged(bench: Bench, topic: str, count: int, upto: int) -> list[Delivery]:
    """Messages, of which the first are acknowledged, by a consumer that has left."""
    bench.sent(bench.producer(topic), bodies(count))
    consumer = bench.consumer(topic)
    found = bench.received(consumer, count)
    consumer.acknowledge(found[upto - 1].position)
    consumer.close()
    return found


def told(deliveries: list[Delivery]) -> list[bytes]:
    """The bodies."""
    return [each.body for each in deliveries]


def test_the_cursor_is_what_was_acknowledged(bench: Bench) -> None:
    """As it was when the consumer was opened; before everything when nothing is acknowledged."""
    topic = bench.harness.topic()
    fresh = bench.consumer(topic)
    assert bench.cursor(fresh) == EARLIEST
    fresh.close()
    found = acknowledged(bench, topic, 5, upto=3)
    consumer = taken_again(bench, topic)
    assert bench.cursor(consumer) == found[2].position
    bench.received(consumer, 2)
    consumer.acknowledge(found[4].position)
    assert bench.cursor(consumer) == found[2].position
    consumer.close()
    assert bench.cursor(taken_again(bench, topic)) == found[4].position


def test_the_cursor_is_a_message_s_position_when_the_partition_has_moved(bench: Bench) -> None:
    """Also at the end of a ledger that is used up: whoever compares it must not see messages where there are none."""
    topic = bench.harness.topic()
    found = acknowledged(bench, topic, 3, upto=3)
    for _ in range(2):
        bench.harness.unload(topic, 0)
    consumer = taken_again(bench, topic)
    assert bench.cursor(consumer) == found[2].position


def test_the_newest_is_the_last_message(bench: Bench) -> None:
    """Whatever is acknowledged; not an earlier one than there was when it was asked first."""
    topic = bench.harness.topic()
    found = acknowledged(bench, topic, 3, upto=1)
    consumer = taken_again(bench, topic)
    assert bench.newest(consumer) == found[2].position
    bench.received(consumer, 2)
    consumer.acknowledge(found[2].position)
    consumer.close()
    assert bench.newest(taken_again(bench, topic)) == found[2].position


def test_the_newest_is_in_an_earlier_ledger_when_the_partition_has_moved(bench: Bench) -> None:
    """The last ledger is empty then. Of a partition that never had a message it is the earliest."""
    topic = bench.harness.topic()
    fresh = bench.consumer(topic)
    assert bench.newest(fresh) == EARLIEST
    fresh.close()
    found = acknowledged(bench, topic, 3, upto=3)
    for _ in range(2):
        bench.harness.unload(topic, 0)
    consumer = taken_again(bench, topic)
    assert bench.newest(consumer) == found[2].position
    last = bench.sent(bench.producer(topic, name="later"), [b"new"])[-1]
    consumer.close()
    assert bench.newest(taken_again(bench, topic)) == last


@pytest.mark.parametrize("first", ["at once", "after receiving"])
@pytest.mark.parametrize("back_to", [1, 3, 6])
def test_a_seek_brings_all_after_the_position_again(bench: Bench, back_to: int, first: str) -> None:
    """In order and nothing else before, whatever had been prefetched, received or acknowledged; then what is new."""
    topic = bench.harness.topic()
    found = acknowledged(bench, topic, 10, upto=6)
    consumer = taken_again(bench, topic)
    if first == "after receiving":
        bench.received(consumer, 2)
    consumer = bench.opened(consumer.seek(found[back_to - 1].position))
    assert told(bench.received(consumer, 10 - back_to)) == bodies(10)[back_to:]
    producer = bench.producer(topic, name="later")
    bench.sent(producer, [b"new"])
    assert told(bench.received(consumer, 1)) == [b"new"]
    assert bench.silent(consumer)


def test_a_seek_to_the_earliest_brings_all_again(bench: Bench) -> None:
    """For a store that knows of nothing."""
    topic = bench.harness.topic()
    acknowledged(bench, topic, 4, upto=4)
    consumer = taken_again(bench, topic)
    consumer = bench.opened(consumer.seek(EARLIEST))
    assert told(bench.received(consumer, 4)) == bodies(4)
    consumer.close()
    assert bench.cursor(taken_again(bench, topic)) == EARLIEST


def test_a_seek_lasts(bench: Bench) -> None:
    """The next consumer, too, begins right after the position, and its cursor is the position."""
    topic = bench.harness.topic()
    found = acknowledged(bench, topic, 6, upto=5)
    consumer = taken_again(bench, topic)
    bench.opened(consumer.seek(found[1].position)).close()
    following = taken_again(bench, topic)
    assert bench.cursor(following) == found[1].position
    assert told(bench.received(following, 4)) == bodies(4, first=2)


def test_acknowledging_goes_on_after_a_seek(bench: Bench) -> None:
    """What was acknowledged before counts no more, and what is acknowledged now does."""
    topic = bench.harness.topic()
    found = acknowledged(bench, topic, 6, upto=6)
    consumer = bench.opened(taken_again(bench, topic).seek(found[0].position))
    again = bench.received(consumer, 5)
    consumer.acknowledge(again[1].position)
    consumer.close()
    following = taken_again(bench, topic)
    assert bench.cursor(following) == found[2].position
    assert told(bench.received(following, 3)) == bodies(3, first=3)


def test_a_seek_across_a_move_of_the_partition(bench: Bench) -> None:
    """The position may lie in an earlier ledger."""
    topic = bench.harness.topic()
    found = acknowledged(bench, topic, 4, upto=4)
    bench.harness.unload(topic, 0)
    bench.sent(bench.producer(topic, name="later"), [b"new"])
    consumer = bench.opened(taken_again(bench, topic).seek(found[1].position))
    assert told(bench.received(consumer, 3)) == [b"2", b"3", b"new"]


def test_a_seek_before_what_is_kept_is_refused(bench: Bench) -> None:
    """Once that is known: nobody could tell what is missing; nothing is changed, and the consumer goes on."""
    topic = bench.harness.topic()
    acknowledged(bench, topic, 4, upto=2)
    consumer = taken_again(bench, topic)
    bench.cursor(consumer)
    seek = consumer.seek(Position(0, 3))
    for _ in range(2):
        with pytest.raises(Refused, match="ledger 0"):
            bench.opened(seek)
    assert told(bench.received(consumer, 2)) == bodies(2, first=2)


def test_a_closed_consumer_seeks_nothing(bench: Bench) -> None:
    """`Closed`."""
    topic = bench.harness.topic()
    found = acknowledged(bench, topic, 2, upto=2)
    consumer = taken_again(bench, topic)
    consumer.close()
    with pytest.raises(Closed):
        bench.opened(consumer.seek(found[0].position))
