"""What happens when the broker, or we, stand still or die; each test says what in our code depends on it."""
# pulsar-client ships no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pulsar
import pytest

from magnetar.runtime.bus.port import BusUnavailable, Closed, Consumer, Producer
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.client import PulsarBus
from tests.contract.bus.harness import SUBSCRIPTION, Bench, bodies, plain, until
from tests.contract.bus.pulsar_harness import PulsarHarness

if TYPE_CHECKING:
    from tests.integration.pulsar.conftest import Victim

ROOT = Path(__file__).parents[3]
NAME = "shop/orders/0"


@contextmanager
def holder(harness: PulsarHarness, topic: str) -> Generator[subprocess.Popen[str]]:
    """A worker in another process that holds the topic's partition and the producer name."""
    settings = harness.settings
    program = ROOT / "tests/integration/pulsar/holder.py"
    arguments = (settings.service_url, harness.admin.url, settings.application, topic, SUBSCRIPTION, NAME)
    with subprocess.Popen(
        (sys.executable, str(program), *arguments), stdout=subprocess.PIPE, text=True, cwd=ROOT, env=path()
    ) as process:
        try:
            assert says(process.stdout) == "connected"
            yield process
        finally:
            process.kill()


def path() -> dict[str, str]:
    """The environment with which a program finds the tests."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def says(stream: IO[str] | None) -> str:
    """The next line of a program."""
    assert stream is not None
    return stream.readline().strip()


def patient(harness: PulsarHarness) -> PulsarBus:
    """A bus that tries for longer than the broker takes to find out that a holder is frozen (2 s)."""
    return PulsarBus(replace(harness.settings, operation_timeout=5), Admin(harness.admin.url))


def timed(act: Callable[[], object]) -> float:
    """How many seconds something takes."""
    started = time.monotonic()
    act()
    return time.monotonic() - started


def test_a_frozen_holder_is_replaced(bench: Bench) -> None:
    """The broker probes a silent holder when another asks: 2 s, as we set it up.

    The promise *frozen or cut off ≤ 10 s* stands on it. Consumer and producer are probed side by side.
    """
    assert isinstance(bench.harness, PulsarHarness)
    topic = bench.harness.topic()
    with holder(bench.harness, topic) as process:
        process.send_signal(signal.SIGSTOP)
        bus = patient(bench.harness)
        started = time.monotonic()
        subscribing, producing = bus.subscribe(topic, 0, SUBSCRIPTION), bus.produce(topic, 0, NAME, None)
        until(subscribing.poll, 10, "taking over the subscription")
        until(producing.poll, 10, "taking over the producer's name")
        assert 1.0 < time.monotonic() - started < 5.0
        bus.close()


def test_a_refused_consumer_comes_back_by_itself(bench: Bench) -> None:
    """A thawed holder whose partition was taken is not told so: it is merely not connected.

    And the client goes on asking: it gets the partition again when the new holder leaves. So a worker must close what
    is not connected (R13), and only the epoch in the store refuses what a revived one commits.
    """
    assert isinstance(bench.harness, PulsarHarness)
    topic = bench.harness.topic()
    with holder(bench.harness, topic) as process:
        process.send_signal(signal.SIGSTOP)
        bus = patient(bench.harness)
        taken = bench.consumer(topic, bus=bus)
        process.send_signal(signal.SIGCONT)
        assert says(process.stdout) == "disconnected"
        assert taken.connected()
        bus.close()
        assert says(process.stdout) == "connected"


def test_the_client_s_send_time_out_loses_messages(victim: Victim) -> None:
    """The client fails all pending sends at once and takes the next one, before anybody can know.

    Once that one is stored, the failed ones are duplicates to the broker: sent again, they are dropped and
    confirmed. So the send time-out is ours, and it is final.
    """
    topic = victim.harness.topic()
    quiet = pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null")
    client = pulsar.Client(victim.server.service_url, logger=quiet)
    name = victim.harness.settings.partition(topic, 0)
    producer = client.create_producer(name, producer_name="raw", send_timeout_millis=1000)
    producer.send(b"1", sequence_id=1)
    failed: list[str] = []
    victim.server.pause()

    def note(result: Any, _: object) -> None:
        failed.append(result.name)

    for number in (2, 3):
        producer.send_async(str(number).encode(), note, sequence_id=number)
    until(lambda: True if len(failed) == 2 else None, 10, "the time-outs")
    victim.server.kill()
    victim.server.start()
    higher = until(lambda: first_stored(producer), 60, "a higher number")
    again = producer.send(b"2", sequence_id=2)
    client.close()
    assert failed == ["Timeout", "Timeout"]
    assert again.ledger_id() == -1
    assert [delivery.body for delivery in victim.harness.log(topic, 0)] == [b"1", higher]


def first_stored(producer: pulsar.Producer) -> bytes | None:
    """Try to send the number 4."""
    try:
        producer.send(b"4", sequence_id=4)
    except pulsar.Timeout:
        return None
    return b"4"


def test_our_send_time_out_is_final(victim: Victim) -> None:
    """All pending sends fail together, nothing more is taken, and a fresh producer of the name sends them again."""
    topic = victim.harness.topic()
    bus = PulsarBus(replace(victim.harness.settings, send_timeout=0.5, close_timeout=0.2))
    producer = victim.bench.producer(topic, bus=bus)
    victim.bench.sent(producer, bodies(1))
    with victim.frozen():
        for number in (2, 3):
            producer.send(number, plain(bodies(1, first=number - 1)[0]))
        receipts = until(lambda: producer.receipts() or None, 5, "the time-out")
        assert [(receipt.number, type(receipt.error)) for receipt in receipts] == [
            (2, BusUnavailable),
            (3, BusUnavailable),
        ]
        with pytest.raises(Closed):
            producer.send(4, plain(b"4"))
    again = victim.bench.opened_when_free(lambda: bus.produce(topic, 0, NAME, None))
    for number in (2, 3, 4):
        again.send(number, plain(bodies(1, first=number - 1)[0]))
    assert all(receipt.error is None for receipt in victim.bench.receipts(again, 3))
    assert [delivery.body for delivery in victim.harness.log(topic, 0)] == bodies(4)
    bus.close()


def test_what_had_left_when_the_producer_was_closed_may_still_be_stored(victim: Victim) -> None:
    """Closing in front of a frozen broker returns in time, and the client holds nothing any more.

    But what is in the sockets is stored when the broker thaws, under its own numbers. So a number is never used for
    anything else (R18).
    """
    topic = victim.harness.topic()
    bus = PulsarBus(replace(victim.harness.settings, close_timeout=0.3))
    producer = victim.bench.producer(topic, bus=bus)
    with victim.frozen():
        for number, body in enumerate(bodies(3), 1):
            producer.send(number, plain(body))
        assert timed(producer.close) < 1.0
        assert [type(receipt.error) for receipt in producer.receipts()] == [Closed] * 3
    stored = until(lambda: victim.harness.log(topic, 0) or None, 10, "what had left")
    assert [delivery.body for delivery in stored] == bodies(3)[: len(stored)]
    again = victim.bench.opened_when_free(lambda: bus.produce(topic, 0, NAME, None))
    assert again.last_number == 3
    bus.close()


def test_letting_go_of_many_shards_takes_one_patience(victim: Victim) -> None:
    """Sixteen consumers and producers in front of a frozen broker are closed in little more than a close time-out."""
    topic = victim.harness.topic(partitions=16)
    harness = victim.harness
    bus = PulsarBus(replace(harness.settings, close_timeout=0.5), Admin(harness.admin.url))
    openings = [bus.subscribe(topic, partition, SUBSCRIPTION) for partition in range(16)]
    producing = [bus.produce(topic, partition, NAME, None) for partition in range(16)]
    held: list[Consumer | Producer] = [until(opening.poll, 10, "opening") for opening in openings]
    held += [until(opening.poll, 10, "opening") for opening in producing]
    with victim.frozen():
        assert timed(lambda: [one.close() for one in held]) < 2.0
        assert timed(bus.close) < 2.0


def test_nothing_that_the_loop_calls_waits_for_a_frozen_broker(victim: Victim) -> None:
    """Opening, polling, sending, acknowledging and abandoning answer at once; asking has its deadline.

    It is 2 s, and for the partitions one more, in which the REST API may tell why.
    """
    topic = victim.harness.topic(partitions=2, schema=None)
    producer, consumer = victim.bench.producer(topic), victim.bench.consumer(topic)
    victim.bench.sent(producer, bodies(1))
    (found,) = victim.bench.received(consumer, 1)
    bus = victim.bench.bus
    with victim.frozen():
        assert timed(lambda: consumer.acknowledge(found.position)) < 0.1
        assert timed(lambda: producer.send(2, plain(b"1"))) < 0.1
        assert timed(producer.receipts) < 0.1
        assert timed(lambda: consumer.receive(10, 0)) < 0.1
        assert consumer.connected()
        subscribing, producing = bus.subscribe(topic, 1, SUBSCRIPTION), bus.produce(topic, 1, NAME, None)
        assert timed(lambda: (subscribing.poll(), producing.poll())) < 0.1
        assert timed(subscribing.abandon) + timed(producing.abandon) < 0.1
        for ask in (lambda: bus.schema(topic, 0), consumer.end, lambda: bus.partitions(topic)):
            started = time.monotonic()
            with pytest.raises(BusUnavailable):
                ask()
            assert 1.5 < time.monotonic() - started < 2.0 + victim.harness.settings.mark_timeout + 0.5
        assert producer.receipts() == []  # six seconds later it is still on its way: only our own time-out ends it
        assert timed(consumer.leave) + timed(producer.leave) < 0.1
    other = victim.harness.other()
    assert victim.bench.opened_when_free(lambda: other.subscribe(topic, 1, SUBSCRIPTION)).connected()
    victim.bench.opened_when_free(lambda: other.produce(topic, 1, NAME, None))


def test_an_acknowledgement_without_a_connection_is_lost_in_silence(victim: Victim) -> None:
    """`acknowledge` succeeds with nobody there, and the message comes again, to the next consumer.

    So an ack is only a hint (R10), and the journal drops duplicates (R2).
    """
    topic = victim.harness.topic()
    victim.bench.sent(victim.bench.producer(topic), bodies(1))
    consumer = victim.bench.consumer(topic)
    (found,) = victim.bench.received(consumer, 1)
    victim.server.kill()
    until(lambda: None if consumer.connected() else True, 10, "the lost connection")
    assert timed(lambda: consumer.acknowledge(found.position)) < 0.1
    assert consumer.receive(10, 0.1) == []
    with pytest.raises(BusUnavailable):
        victim.bench.opened(victim.bench.bus.produce(topic, 0, "another", None))
    consumer.close()
    victim.server.start()
    (again,) = victim.bench.received(victim.bench.consumer(topic, bus=victim.harness.other()), 1)
    assert again.body == found.body


ABORTS = """
import sys, pulsar
url, topic, how = sys.argv[1:]
client = pulsar.Client(url, logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null"))
producer = client.create_producer(topic, send_timeout_millis=300)
def raises(result, message_id):
    raise RuntimeError("a bug in a callback")
print("ready", flush=True)
sys.stdin.readline()
producer.send_async(b"0", raises if how == "python" else {}.setdefault)
import time
time.sleep(2)
print("survived", flush=True)
"""


@pytest.mark.parametrize(("how", "last"), [("python", ""), ("c", "survived")])
def test_an_exception_in_a_callback_ends_the_process(victim: Victim, how: str, last: str) -> None:
    """When a send fails, whatever its callback raises reaches the client's thread: SIGABRT.

    So no Python is called back for a send, and an arrival (`opening.Arrival`) only appends and pops.
    """
    topic = victim.harness.settings.partition(victim.harness.topic(), 0)
    program = (sys.executable, "-c", ABORTS, victim.server.service_url, topic, how)
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert says(process.stdout) == "ready"
        with victim.frozen():
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            assert says(process.stdout) == last
        process.kill()
    assert (process.returncode == -signal.SIGABRT) == (how == "python")


LEAVES = """
import sys
from magnetar.runtime.bus.pulsar.client import PulsarBus
from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from magnetar.runtime.bus.pulsar.admin import Admin
from tests.contract.bus.harness import plain, until
url, admin, application, topic, subscription = sys.argv[1:]
settings = PulsarSettings(service_url=url, application=application, log_file="/dev/null", close_timeout=0.3)
bus = PulsarBus(settings, Admin(admin))
producer = until(bus.produce(topic, 0, "leaves", None).poll, 10, "the producer")
consumer = until(bus.subscribe(topic, 0, subscription).poll, 10, "the consumer")
print("ready", flush=True)
sys.stdin.readline()
producer.send(1, plain(b"0"))
pending = bus.produce(topic, 0, "another", None)
bus.close()
print("closed", flush=True)
"""


def test_a_process_leaves_in_front_of_a_frozen_broker(victim: Victim) -> None:
    """Closing gives up after its time-outs, and the process ends with status 0."""
    harness = victim.harness
    urls = (harness.settings.service_url, harness.admin.url)
    arguments = (*urls, harness.settings.application, harness.topic(), SUBSCRIPTION)
    with subprocess.Popen(
        (sys.executable, "-c", LEAVES, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=path(),
    ) as process:
        assert says(process.stdout) == "ready"
        with victim.frozen():
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            assert process.wait(10) == 0
