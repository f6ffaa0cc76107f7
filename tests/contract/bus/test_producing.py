"""The contract of a producer: receipts, de-duplication by number, one holder a name, size limit."""

from __future__ import annotations

import pytest

from magnetar.runtime.bus.port import Busy, Closed, Outgoing, Refused
from tests.contract.bus.harness import Bench, bodies, plain

MIB = 1024 * 1024
NAME = "shop/orders/0"


def stored(bench: Bench, topic: str, partition: int = 0) -> list[bytes]:
    """The bodies in a partition."""
    return [delivery.body for delivery in bench.harness.log(topic, partition)]


def test_every_send_gets_its_receipt_in_order(bench: Bench) -> None:
    """Receipts come in the order of sending, each with its number, each once."""
    topic = bench.harness.topic()
    producer = bench.producer(topic)
    assert producer.receipts() == []
    positions = bench.sent(producer, bodies(500))
    assert positions == sorted(set(positions))
    assert producer.receipts() == []
    assert stored(bench, topic) == bodies(500)


def test_a_number_seen_before_is_dropped(bench: Bench) -> None:
    """A number at or below the highest is not stored again: the receipt says duplicate, not error."""
    topic = bench.harness.topic()
    producer = bench.producer(topic)
    bench.sent(producer, bodies(3))
    for number in (3, 1):
        producer.send(number, plain(b"again"))
        (receipt,) = bench.receipts(producer, 1)
        assert (receipt.number, receipt.duplicate, receipt.error) == (number, True, None)
    assert stored(bench, topic) == bodies(3)


def test_a_skipped_number_cannot_be_used_any_more(bench: Bench) -> None:
    """Numbers may leave gaps, and what is in a gap counts as seen: the reason for R19."""
    topic = bench.harness.topic()
    producer = bench.producer(topic)
    producer.send(1, plain(b"0"))
    producer.send(5, plain(b"1"))
    assert [receipt.duplicate for receipt in bench.receipts(producer, 2)] == [False, False]
    producer.send(3, plain(b"lost"))
    assert [receipt.duplicate for receipt in bench.receipts(producer, 1)] == [True]
    assert stored(bench, topic) == bodies(2)


def test_a_name_is_known_again(bench: Bench) -> None:
    """A reopened producer knows its highest number, on any connection, and the broker still drops what it has."""
    topic = bench.harness.topic()
    first = bench.producer(topic)
    assert first.last_number == 0
    bench.sent(first, bodies(10))
    first.close()
    other = bench.harness.other()
    second = bench.opened_when_free(lambda: other.produce(topic, 0, NAME, None))
    assert second.last_number == 10
    second.send(9, plain(b"again"))
    second.send(11, plain(b"10"))
    assert [receipt.duplicate for receipt in bench.receipts(second, 2)] == [True, False]
    assert stored(bench, topic) == bodies(11)


def test_numbers_belong_to_a_name_and_a_partition(bench: Bench) -> None:
    """The same number of another name, or of this name on another partition, is a message of its own."""
    topic = bench.harness.topic(partitions=2)
    bench.sent(bench.producer(topic), bodies(2))
    bench.sent(bench.producer(topic, name="shop/orders/1"), bodies(2))
    elsewhere = bench.producer(topic, 1)
    assert elsewhere.last_number == 0
    bench.sent(elsewhere, bodies(2))
    assert len(stored(bench, topic)) == 4
    assert len(stored(bench, topic, 1)) == 2


def test_a_name_has_one_holder(bench: Bench) -> None:
    """While a producer lives nobody else gets its name; closed, it is free."""
    topic = bench.harness.topic()
    holder = bench.producer(topic)
    other = bench.harness.other()
    for bus in (bench.bus, other):
        with pytest.raises(Busy):
            bench.producer(topic, bus=bus)
    bench.sent(holder, bodies(1))
    holder.close()
    bench.opened_when_free(lambda: other.produce(topic, 0, NAME, None))


def test_many_names_share_a_partition(bench: Bench) -> None:
    """Producers of different names and connections write to one partition, each in its own order."""
    topic = bench.harness.topic()
    producers = [bench.producer(topic, name="one"), bench.producer(topic, name="two", bus=bench.harness.other())]
    for number in range(1, 101):
        for producer, prefix in zip(producers, ("one", "two"), strict=True):
            producer.send(number, plain(f"{prefix} {number}".encode()))
    for producer in producers:
        assert all(receipt.error is None for receipt in bench.receipts(producer, 100))
    found = stored(bench, topic)
    for prefix in ("one", "two"):
        own = [body for body in found if body.startswith(prefix.encode())]
        assert own == [f"{prefix} {number}".encode() for number in range(1, 101)]


@pytest.mark.parametrize("where", ["body", "properties"])
def test_a_message_over_the_limit_is_refused(bench: Bench, where: str) -> None:
    """More than 5 MiB, properties included, is refused before it is sent, and its number is still free."""
    topic = bench.harness.topic()
    producer = bench.producer(topic)
    body, note = (b"x" * (6 * MIB), "") if where == "body" else (b"x" * (3 * MIB), "x" * (3 * MIB))
    with pytest.raises(Refused):
        producer.send(1, Outgoing("o-1", body, {"note": note}))
    assert producer.receipts() == []
    bench.sent(producer, bodies(2))
    assert stored(bench, topic) == bodies(2)


def test_a_large_message_below_the_limit_passes(bench: Bench) -> None:
    """4.5 MiB are stored and delivered."""
    topic = bench.harness.topic()
    body = bytes(range(256)) * (4 * MIB // 256 + 2 * 1024)
    bench.sent(bench.producer(topic), [body])
    assert bench.received(bench.consumer(topic), 1)[0].body == body


def test_a_closed_producer_sends_nothing(bench: Bench) -> None:
    """`send` raises `Closed`, and nothing is stored."""
    topic = bench.harness.topic()
    producer = bench.producer(topic)
    bench.sent(producer, bodies(1))
    producer.close()
    producer.close()
    with pytest.raises(Closed):
        producer.send(2, plain(b"late"))
    assert stored(bench, topic) == bodies(1)
