"""The contract of topics and schemas: what was not provisioned is missing, and a message tells its writer's schema."""

from __future__ import annotations

import json

import pytest

from magnetar.runtime.bus.port import BusError, SchemaRefused, TopicMissing
from tests.contract.bus.harness import SUBSCRIPTION, Bench, bodies


def schema(*fields: str) -> str:
    """An Avro record of optional strings: any two of them are compatible in both directions."""
    optional = [{"name": field, "type": ["null", "string"], "default": None} for field in fields]
    return json.dumps({"type": "record", "name": "OrdersTopic", "namespace": "shop", "fields": optional})


def same(text: str | None, other: str) -> bool:
    """Whether two schema texts are one: a broker may format them anew."""
    return text is not None and json.loads(text) == json.loads(other)


def test_a_topic_tells_its_partitions(bench: Bench) -> None:
    """`partitions` is the provisioned number."""
    assert bench.bus.partitions(bench.harness.topic(partitions=5)) == 5
    assert bench.bus.partitions(bench.harness.topic()) == 1


def test_a_missing_topic_is_named(bench: Bench) -> None:
    """Nothing is created by asking for it, and the error names what is missing."""
    with pytest.raises(TopicMissing, match="nowhere"):
        bench.bus.partitions("nowhere")
    with pytest.raises(TopicMissing, match="nowhere"):
        bench.consumer("nowhere")
    with pytest.raises(TopicMissing, match="nowhere"):
        bench.producer("nowhere")
    with pytest.raises(TopicMissing, match="nowhere"):
        bench.bus.partitions("nowhere")


def test_a_missing_partition_is_named(bench: Bench) -> None:
    """A partition beyond the provisioned ones does not exist."""
    topic = bench.harness.topic(partitions=2)
    with pytest.raises(TopicMissing, match=topic):
        bench.consumer(topic, 2)
    with pytest.raises(TopicMissing, match=topic):
        bench.producer(topic, 2)


def test_a_missing_subscription_is_named(bench: Bench) -> None:
    """A subscription that was not provisioned is not made by subscribing: it would have missed messages."""
    topic = bench.harness.topic()
    for _ in range(2):
        with pytest.raises(TopicMissing, match="magnetar-stranger"):
            bench.consumer(topic, subscription="magnetar-stranger")


def test_a_subscription_begins_where_it_was_provisioned(bench: Bench) -> None:
    """What was published before anybody ever subscribed is delivered."""
    topic = bench.harness.topic(subscriptions=(SUBSCRIPTION,))
    bench.sent(bench.producer(topic), bodies(3))
    assert [delivery.body for delivery in bench.received(bench.consumer(topic), 3)] == bodies(3)


def test_a_message_tells_its_writers_schema(bench: Bench) -> None:
    """Messages carry the version of their producer's schema, and any connection can read that version."""
    old, new = schema("a"), schema("a", "b")
    topic = bench.harness.topic(schema=old)
    newer = bench.harness.register(topic, new)
    bench.sent(bench.producer(topic, name="new", schema=new), bodies(1))
    bench.sent(bench.producer(topic, name="old", schema=old), bodies(1))
    versions = [delivery.schema_version for delivery in bench.received(bench.consumer(topic), 2)]
    assert versions[0] == newer
    assert versions[1] not in {None, newer}
    other = bench.harness.other()
    for version, text in zip(versions, (new, old), strict=True):
        assert version is not None
        assert same(other.schema(topic, version), text)


def test_bytes_have_no_schema(bench: Bench) -> None:
    """A message on a topic without a schema carries no version."""
    topic = bench.harness.topic()
    bench.sent(bench.producer(topic), bodies(1))
    assert bench.received(bench.consumer(topic), 1)[0].schema_version is None


def test_an_unknown_version_is_none(bench: Bench) -> None:
    """A version that the broker never gave is told as None, not as an error."""
    topic = bench.harness.topic(schema=schema("a"))
    assert bench.bus.schema(topic, 7) is None


@pytest.mark.parametrize("offered", [schema("a", "unknown"), None])
def test_a_schema_that_is_not_registered_is_refused(bench: Bench, offered: str | None) -> None:
    """Neither an unknown schema nor plain bytes get onto a topic that has one."""
    topic = bench.harness.topic(schema=schema("a"))
    with pytest.raises(SchemaRefused, match=topic) as caught:
        bench.producer(topic, schema=offered)
    assert isinstance(caught.value, BusError)
    bench.sent(bench.producer(topic, schema=schema("a")), bodies(1))
