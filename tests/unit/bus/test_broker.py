"""Provisioning and schemas of the in-process broker, beyond the contract of every bus."""

from __future__ import annotations

import pytest

from magnetar.runtime.bus.memory import Broker, MemoryBus
from magnetar.runtime.bus.port import Refused, SchemaRefused, TopicMissing
from tests.unit.bus.broker import SUBSCRIPTION, TOPIC, Bench, message, there

RECORD = '{"type": "record", "name": "Topic", "fields": []}'
SAME_RECORD = '{"name":"Topic","fields":[],"type":"record"}'
OTHER_RECORD = '{"type": "record", "name": "Other", "fields": []}'


def test_provisioning_again_adds_what_is_missing(bench: Bench) -> None:
    """A topic keeps its messages and cursors; a new subscription begins at the earliest message."""
    bench.fill(2)
    bench.consumer(bench.one).acknowledge(bench.broker.log(TOPIC, 0)[0].position)
    bench.broker.provision(TOPIC, 2, [SUBSCRIPTION, "magnetar-stock"])
    assert bench.broker.backlog(TOPIC, 0, SUBSCRIPTION) == 1
    assert bench.broker.backlog(TOPIC, 0, "magnetar-stock") == 2
    assert bench.broker.topics() == [TOPIC]


@pytest.mark.parametrize("partitions", [0, 1, 3])
def test_the_number_of_partitions_is_for_life(bench: Bench, partitions: int) -> None:
    """Another number is refused, and none is no number."""
    with pytest.raises(Refused):
        bench.broker.provision(TOPIC, partitions)
    with pytest.raises(Refused):
        bench.broker.provision("new", 0)


@pytest.mark.parametrize("partition", [-1, 2])
def test_a_partition_is_one_of_the_provisioned(bench: Bench, partition: int) -> None:
    """Numbers go from 0 to one below the count, and no Python index from the end is one."""
    with pytest.raises(TopicMissing):
        bench.broker.log(TOPIC, partition)


def test_a_producer_registers_its_schema_where_it_may(bench: Bench) -> None:
    """On an open topic each unknown schema is a new version, and a text written otherwise is the same schema."""
    versions: list[int | None] = []
    for name, text in (("a", RECORD), ("b", OTHER_RECORD), ("c", SAME_RECORD)):
        there(bench.one.produce(TOPIC, 0, name, text)).send(1, message(1))
        versions.append(bench.broker.log(TOPIC, 0)[-1].schema_version)
    assert versions == [0, 1, 0]
    assert [bench.two.schema(TOPIC, version) for version in (-1, 0, 1, 2)] == [None, RECORD, OTHER_RECORD, None]


def test_a_schema_that_is_no_json_is_refused(bench: Bench) -> None:
    """Whoever brings it, the registry does not take it."""
    with pytest.raises(SchemaRefused, match="orders"):
        there(bench.one.produce(TOPIC, 0, "a", "record {"))
    with pytest.raises(SchemaRefused):
        bench.broker.register_schema(TOPIC, "")


def test_a_refused_producer_takes_no_name() -> None:
    """A producer with the wrong schema leaves the name free."""
    broker = Broker(lambda: 0)
    broker.provision(TOPIC, 1, open_to_new_schemas=False)
    bus = MemoryBus(broker, "one")
    with pytest.raises(SchemaRefused):
        bus.produce(TOPIC, 0, "name", RECORD).poll()
    there(bus.produce(TOPIC, 0, "name", None))


def test_a_number_below_one_is_a_mistake(bench: Bench) -> None:
    """A broker's client drops a zero silently; here it is a `ValueError`."""
    with pytest.raises(ValueError, match="0"):
        bench.producer(bench.one).send(0, message(0))


def test_receiving_is_bounded_by_the_queue(bench: Bench) -> None:
    """However many are asked for, no more come at once than the receiver queue holds."""
    bench.fill(9)
    consumer = bench.consumer(bench.one)
    assert [len(consumer.receive(200, 0)) for _ in range(3)] == [5, 4, 0]
