"""What the client and the broker really do, where our code depends on it. Each test says what does.

A test that fails after an upgrade of either is good news or bad: read what depends on it.
"""
# pulsar-client ships no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import _pulsar
import pulsar
import pytest

from magnetar.runtime.bus.port import Outgoing
from magnetar.runtime.bus.pulsar import native
from tests.contract.bus.harness import SUBSCRIPTION, Bench, bodies, plain, until
from tests.contract.bus.pulsar_harness import PulsarHarness

if TYPE_CHECKING:
    from collections.abc import Generator

RECORD = '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "string", "default": ""}]}'


@pytest.fixture
def client(bench: Bench) -> Generator[pulsar.Client]:
    """The Python client as anybody would use it."""
    quiet = pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null")
    opened = pulsar.Client(harness_of(bench).settings.service_url, logger=quiet)
    yield opened
    opened.close()


def harness_of(bench: Bench) -> PulsarHarness:
    """The harness, which is a Pulsar one here."""
    assert isinstance(bench.harness, PulsarHarness)
    return bench.harness


def partition_of(bench: Bench, topic: str) -> str:
    """The full name of a topic's first partition."""
    return harness_of(bench).settings.partition(topic, 0)


def test_the_wrapper_drops_a_zero(bench: Bench, client: pulsar.Client) -> None:
    """`sequence_id=0` is not sent, a number of the client's own is. So our numbers start at 1, and 0 is an error."""
    topic = partition_of(bench, bench.harness.topic())
    first = client.create_producer(topic, producer_name="zero")
    first.send(b"5", sequence_id=5)
    first.close()
    again = client.create_producer(topic, producer_name="zero")
    assert again.send(b"0", sequence_id=0).ledger_id() >= 0  # a zero would have been a duplicate of 5
    assert again.last_sequence_id() == 6


def test_a_duplicate_has_the_position_minus_one(bench: Bench, client: pulsar.Client) -> None:
    """The broker's receipt for a number it had is (-1,-1). `Receipt.duplicate` is read from that."""
    producer = client.create_producer(partition_of(bench, bench.harness.topic()), producer_name="twice")
    assert producer.send(b"1", sequence_id=1).ledger_id() >= 0
    again = producer.send(b"1", sequence_id=1)
    assert (again.ledger_id(), again.entry_id()) == (-1, -1)


def test_a_consumer_with_a_schema_registers_it(bench: Bench, client: pulsar.Client) -> None:
    """On a topic without a schema a reader's becomes version 0. So our consumers read bytes, which leave no trace."""
    harness = harness_of(bench)
    namespace = f"public/{uuid4().hex}"
    harness.admin.create_namespace(namespace)
    for name in ("avro", "bytes"):
        topic = f"persistent://{namespace}/{name}"
        harness.admin.create_partitions(topic, 1)
        harness.admin.create_subscription(f"{topic}-partition-0", SUBSCRIPTION)
    avro: Any = pulsar.schema.AvroSchema
    schema = avro(None, schema_definition={"type": "record", "name": "R", "fields": []})
    client.subscribe(f"persistent://{namespace}/avro-partition-0", SUBSCRIPTION, schema=schema)
    client.subscribe(f"persistent://{namespace}/bytes-partition-0", SUBSCRIPTION, schema=pulsar.schema.BytesSchema())
    versions = {name: schema_versions(harness, f"{namespace}/{name}") for name in ("avro", "bytes")}
    assert versions == {"avro": 1, "bytes": 0}


def schema_versions(harness: PulsarHarness, topic: str) -> int:
    """How many schemas a topic has."""
    answer: Any = harness.admin._get(f"schemas/{topic}/schemas", dict[str, list[object]])
    return len((answer or {}).get("getSchemaResponses", []))


def test_the_wrapper_s_schema_version_breaks_at_128(bench: Bench, client: pulsar.Client) -> None:
    """`Message.schema_version()` pushes eight raw bytes through UTF-8. So we ask the C++ message for a number."""
    harness, field = harness_of(bench), '{{"type": "record", "name": "R", "fields": [{{"name": "f{}", {}}}]}}'
    texts = [field.format(number, '"type": "string", "default": ""') for number in range(129)]
    topic = bench.harness.topic(schema=texts[0])
    assert [harness.register(topic, text) for text in texts[1:]] == list(range(1, 129))
    bench.sent(bench.producer(topic, schema=texts[128]), [b"\x00"])
    reader = client.create_reader(partition_of(bench, topic), pulsar.MessageId.earliest)
    with pytest.raises(UnicodeDecodeError):
        reader.read_next(5000).schema_version()
    assert bench.received(bench.consumer(topic), 1)[0].schema_version == 128


def test_a_rebuilt_id_of_a_batched_message_acknowledges_its_neighbours(bench: Bench, client: pulsar.Client) -> None:
    """Foreign producers may batch. So an acknowledgement within a batch takes the id that came with the message."""
    topic = bench.harness.topic()
    batching = client.create_producer(
        partition_of(bench, topic), batching_enabled=True, batching_max_publish_delay_ms=200
    )
    for body in bodies(3):
        batching.send_async(body, _ignore)
    batching.flush()
    first = bench.consumer(topic)
    found = bench.received(first, 3)
    assert [delivery.position.batch for delivery in found] == [0, 1, 2]
    first.acknowledge(found[0].position)
    first.close()
    unread = bench.consumer(topic)
    unread.acknowledge(found[1].position)  # known from an earlier session only: up to the entry before it
    unread.close()
    last = bench.consumer(topic)
    assert [delivery.body for delivery in bench.received(last, 3)] == bodies(3)  # nothing of the entry was lost
    last.acknowledge(found[2].position)
    last.close()
    assert bench.silent(bench.consumer(topic))


def _ignore(_result: object, _message_id: object) -> None:
    """A callback."""


def test_properties_that_are_no_text_come_through(bench: Bench) -> None:
    """Reading them raises UnicodeDecodeError, at each delivery. So such a message comes without key and properties."""
    topic = bench.harness.topic()
    producer: Any = bench.producer(topic)
    builder: Any = native.new_message()
    builder.content(b"poison")
    builder.property("note", b"\xff\xfe")
    producer._producer.send_async(builder.build(), {}.setdefault)
    producer.send(1, Outgoing("o-1", b"good", {"note": "text"}))
    found = bench.received(bench.consumer(topic), 2)
    assert [(delivery.key, dict(delivery.properties)) for delivery in found] == [(None, {}), ("o-1", {"note": "text"})]


def test_an_empty_key_is_no_key(bench: Bench) -> None:
    """The client cannot tell them apart on arrival. So neither do we."""
    topic = bench.harness.topic()
    producer = bench.producer(topic)
    producer.send(1, Outgoing("", b"0", {}))
    producer.send(2, Outgoing(None, b"1", {}))
    assert [delivery.key for delivery in bench.received(bench.consumer(topic), 2)] == [None, None]


def test_an_order_of_numbers_in_flight_makes_duplicates_of_what_was_stored(bench: Bench) -> None:
    """What was stored at the first try may have the receipt of a duplicate.

    A lower number behind a higher one that is still being written makes the broker drop the connection, and the client
    sends all of it again; any other reconnect does the same. So a duplicate means *stored*, by whichever try: it is
    counted, and no alarm (R19).
    """
    topic = bench.harness.topic()
    producer = bench.producer(topic)
    for first in range(10, 1000, 20):
        for number in (first, first + 10, first + 5):
            producer.send(number, plain(str(number).encode()))
    receipts = bench.receipts(producer, 150)
    assert all(receipt.error is None for receipt in receipts)
    assert sum(receipt.duplicate for receipt in receipts) >= 50
    stored = {delivery.body for delivery in bench.harness.log(topic, 0)}
    ascending = {str(number).encode() for first in range(10, 1000, 20) for number in (first, first + 10)}
    assert stored == ascending


CONSOLE = """
import sys, pulsar
kind, url = sys.argv[1:]
logger = pulsar.ConsoleLogger(pulsar.LoggerLevel.Error) if kind == "console" else None
if logger is None:
    from magnetar.runtime.bus.pulsar.client import PulsarBus
    from magnetar.runtime.bus.pulsar.settings import PulsarSettings
    from tests.contract.bus.harness import until
    bus = PulsarBus(PulsarSettings(service_url=url, application="nowhere", operation_timeout=1))
    open = lambda: until(bus.produce("orders", 0, "x", None).poll, 10, "the producer")
else:
    client = pulsar.Client(url, logger=logger, operation_timeout_seconds=1)
    open = lambda: client.create_producer("persistent://public/nowhere/orders-partition-0")
try:
    open()
except Exception as error:
    print("raised", file=sys.stderr)
"""


@pytest.mark.parametrize(("kind", "silent"), [("console", False), ("ours", True)])
def test_the_console_logger_writes_to_standard_output(bench: Bench, kind: str, silent: bool) -> None:  # noqa: FBT001
    """It would be mixed into what our commands print as JSON. So the client logs to a file (standard error)."""
    program = (sys.executable, "-c", CONSOLE, kind, harness_of(bench).settings.service_url)
    done = subprocess.run(program, capture_output=True, text=True, timeout=30, check=False)
    assert "raised" in done.stderr
    assert ("TopicNotFound" in done.stderr) == silent
    assert (done.stdout == "") == silent


EXIT = """
import sys
from magnetar.runtime.bus.pulsar.client import PulsarBus
from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from tests.contract.bus.harness import until
bus = PulsarBus(PulsarSettings(service_url=sys.argv[1], application=sys.argv[2], log_file="/dev/null"))
until(bus.produce(sys.argv[3], 0, sys.argv[4], None).poll, 10, "the producer")
bus.close()
"""


def test_a_process_may_exit_right_after_closing(bench: Bench) -> None:
    """After `Client.close_async` every second such exit is aborted. So clients are closed by blocking calls."""
    settings, topic = harness_of(bench).settings, bench.harness.topic()
    program = (sys.executable, "-c", EXIT, settings.service_url, settings.application, topic)
    processes = [subprocess.Popen((*program, str(number)), stderr=subprocess.DEVNULL) for number in range(5)]
    assert {process.wait(30) for process in processes} == {0}


def test_a_result_is_made_anew_each_time() -> None:
    """Two equal results are two objects. So results are compared by name, and a set or an `is` would mislead."""
    assert _pulsar.Result.Ok.name == "Ok"
    assert _pulsar.Result(_pulsar.Result.Ok.value) is not _pulsar.Result.Ok


def test_sends_answer_without_python_in_the_client_s_thread(bench: Bench) -> None:
    """The callback is `dict.setdefault`, in C. An exception in a Python one ends the process (see `test_faults`)."""
    producer: Any = bench.producer(bench.harness.topic())
    producer.send(1, plain(b"0"))
    ((_, box),) = producer._pending
    until(lambda: True if box else None, 10, "the receipt")
    ((result, message_id),) = box.items()
    assert (result.name, message_id.entry_id()) == ("Ok", 0)
