"""The contract of reaching the broker: a ping is answered by it, and a renewed connection is as good as a new one."""

from __future__ import annotations

import pytest

from magnetar.runtime.bus.port import Closed, TopicMissing
from tests.contract.bus.harness import SUBSCRIPTION, Bench, bodies, plain


def test_a_broker_that_is_there_answers(bench: Bench) -> None:
    """`poll` gives seconds, again at each call, also beside open consumers and on any connection."""
    topic = bench.harness.topic(partitions=2)
    bench.consumer(topic)
    for bus in (bench.bus, bench.harness.other()):
        ping = bus.ping(topic)
        took = bench.opened(ping)
        assert 0 <= took < bench.harness.deadline
        assert ping.poll() == took


def test_a_ping_of_a_missing_topic_is_named(bench: Bench) -> None:
    """The broker has answered, and nothing is made by asking; but who asks for such a topic is set up wrongly."""
    bench.harness.topic()
    for _ in range(2):
        with pytest.raises(TopicMissing, match="nowhere"):
            bench.opened(bench.bus.ping("nowhere"))


def test_an_abandoned_ping_harms_nothing(bench: Bench) -> None:
    """Its answer is dropped, and the next one is answered."""
    topic = bench.harness.topic()
    bench.bus.ping(topic).abandon()
    assert bench.opened(bench.bus.ping(topic)) >= 0


def test_a_renewed_bus_does_all_that_it_did(bench: Bench) -> None:
    """Asking, subscribing and producing work at once; what is unacknowledged comes again, and numbers are known."""
    topic = bench.harness.topic()
    consumer, producer = bench.consumer(topic), bench.producer(topic)
    bench.sent(producer, bodies(3))
    found = bench.received(consumer, 3)
    consumer.acknowledge(found[0].position)
    consumer.close()
    producer.close()
    bench.bus.renew()
    assert bench.bus.partitions(topic) == 1
    assert bench.opened(bench.bus.ping(topic)) >= 0
    again = bench.opened_when_free(lambda: bench.bus.subscribe(topic, 0, SUBSCRIPTION))
    assert [each.body for each in bench.received(again, 2)] == bodies(2, first=1)
    reopened = bench.opened_when_free(lambda: bench.bus.produce(topic, 0, "shop/orders/0", None))
    assert reopened.last_number == 3
    bench.sent(reopened, bodies(1), first=4)


def test_renewing_closes_what_is_still_open(bench: Bench) -> None:
    """Consumers and producers end with `Closed`, and another process gets what they held."""
    topic = bench.harness.topic()
    consumer, producer = bench.consumer(topic), bench.producer(topic)
    bench.sent(producer, bodies(1))
    bench.bus.renew()
    other = bench.harness.other()
    taken = bench.opened_when_free(lambda: other.subscribe(topic, 0, SUBSCRIPTION))
    bench.opened_when_free(lambda: other.produce(topic, 0, "shop/orders/0", None))
    with pytest.raises(Closed):
        consumer.receive(1, 0)
    with pytest.raises(Closed):
        producer.send(2, plain(b"1"))
    assert not consumer.connected()
    assert [each.body for each in bench.received(taken, 1)] == bodies(1)


def test_a_closed_bus_is_not_renewed(bench: Bench) -> None:
    """It would leave connections behind that nobody closes."""
    bus = bench.harness.other()
    bus.close()
    with pytest.raises(Closed):
        bus.renew()
