"""What a worker learns of a broker that stands still, dies or is cut off, and what a new connection is good for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.client import PulsarBus
from magnetar.runtime.servers import ports
from tests.contract.bus.harness import SUBSCRIPTION, Bench, bodies, until
from tests.contract.bus.pulsar_harness import PulsarHarness
from tests.fixtures_pulsar import thrown_away
from tests.integration.pulsar.way import Way

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Bus
    from magnetar.runtime.servers.pulsar import PulsarPlan
    from tests.integration.pulsar.conftest import Victim


def failed(bus: Bus, topic: str) -> float:
    """How many seconds it took until a ping failed."""
    ping, started = bus.ping(topic), time.monotonic()
    with pytest.raises(BusUnavailable):
        until(ping.poll, 5, "the ping's failure")
    return time.monotonic() - started


def answers(bench: Bench, topic: str) -> float | None:
    """A ping's answer, if it has one: the first after a fault may be joined to a question that the fault ended."""
    try:
        return bench.opened(bench.bus.ping(topic))
    except BusUnavailable:
        return None


def test_a_frozen_broker_answers_no_ping(victim: Victim) -> None:
    """Nothing is answered from a cache; pings that hang cost no thread each; thawed, the same connection answers."""
    topic = victim.harness.topic()
    bus = victim.bench.bus
    victim.bench.opened(bus.ping(topic))
    with victim.frozen():
        threads = threading.active_count()
        for _ in range(20):
            bus.ping(topic).abandon()
        assert threading.active_count() == threads
        assert 1.9 < failed(bus, topic) < 3.0
    until(lambda: answers(victim.bench, topic), 30, "an answer")


def test_a_dead_broker_answers_no_ping(victim: Victim) -> None:
    """And as soon as it is back, the next ping is answered."""
    topic = victim.harness.topic()
    bus = victim.bench.bus
    victim.bench.opened(bus.ping(topic))
    victim.server.kill()
    assert failed(bus, topic) < 3.0
    victim.server.start()
    until(lambda: answers(victim.bench, topic), 30, "an answer")


def test_one_of_two_hosts_that_stands_still_fails_no_ping(bench: Bench) -> None:
    """A cluster answers when any of its brokers does."""
    assert isinstance(bench.harness, PulsarHarness)
    topic = bench.harness.topic(partitions=8)
    real = bench.harness.settings.service_url
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never answers
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        bus = PulsarBus(replace(bench.harness.settings, service_url=f"{real},{address}", ping_timeout=1.0))
        try:
            for _ in range(4):
                bench.opened(bus.ping(topic))
        finally:
            bus.close()


@pytest.fixture(params=[True, False], ids=["first", "second"])
def partly_silent(bench: Bench, request: pytest.FixtureRequest) -> Generator[PulsarBus]:
    """A bus with two hosts, of which one takes connections and never answers: the first or the second."""
    assert isinstance(bench.harness, PulsarHarness)
    real = bench.harness.settings.service_url.removeprefix("pulsar://")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts = [real, f"127.0.0.1:{silent.getsockname()[1]}"]
        url = f"pulsar://{','.join(hosts if not request.param else reversed(hosts))}"
        bus = PulsarBus(replace(bench.harness.settings, service_url=url))
        try:
            yield bus
        finally:
            bus.close()


def test_one_of_two_hosts_that_stands_still_holds_up_few_openings(bench: Bench, partly_silent: PulsarBus) -> None:
    """R32: it is left out, wherever it stands; the client itself would meet it with every opening, for ever."""
    topic = bench.harness.topic()

    def opened() -> object:
        try:
            return bench.opened(partly_silent.produce(topic, 0, "web", None))
        except BusUnavailable:
            return None

    until(opened, 10, "a producer")
    bench.opened(partly_silent.produce(topic, 0, "another", None))  # at the first try


def test_a_worker_begins_though_one_of_two_hosts_stands_still(bench: Bench, partly_silent: PulsarBus) -> None:
    """R32: it knows nothing of its hosts yet, and whoever starts it again would know no more."""
    assert partly_silent.partitions(bench.harness.topic(partitions=3)) == 3


@pytest.fixture
def way() -> Generator[Way]:
    """A way that can forget."""
    way = Way()
    yield way
    way.close()


@pytest.fixture
def beyond(way: Way, pulsar_plan: PulsarPlan, tmp_path_factory: pytest.TempPathFactory) -> Generator[PulsarHarness]:
    """A server whose clients all come that way."""
    port = ports.any_free("broker")
    way.lead_to(port)
    changes = {"advertisedListeners": f"way:pulsar://127.0.0.1:{way.port}", "internalListenerName": "way"}
    plan = replace(pulsar_plan, data=tmp_path_factory.mktemp("beyond"), broker_port=port, changes=changes)
    with thrown_away(plan) as server:
        harness = PulsarHarness(server)
        yield harness
        harness.close()


def test_a_renewed_bus_works_where_a_dead_connection_would_be_waited_for(beyond: PulsarHarness, way: Way) -> None:
    """A connection that died unnoticed stays dead until the client's keep-alive finds out, after 30 to 60 s.

    A new one works at once, and whoever held the subscription through the dead one is probed and replaced.
    """
    bench, topic = Bench(beyond), beyond.topic()
    bench.sent(bench.producer(topic), bodies(2))
    settings = replace(beyond.settings, service_url=f"pulsar://127.0.0.1:{way.port}", close_timeout=0.2)
    settings = replace(settings, operation_timeout=5)  # longer than the broker probes a silent holder
    bus = PulsarBus(settings, Admin(beyond.admin.url))
    consumer = bench.consumer(topic, bus=bus)
    bench.received(consumer, 2)
    way.forget()
    failed(bus, topic)
    consumer.close()
    started = time.monotonic()
    bus.renew()
    assert time.monotonic() - started < 0.5
    assert bench.opened(bus.ping(topic)) < 1.0
    taken = bench.opened_when_free(lambda: bus.subscribe(topic, 0, SUBSCRIPTION))
    assert [each.body for each in bench.received(taken, 2)] == bodies(2)
    bus.close()
