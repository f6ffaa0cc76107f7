"""Going back to an earlier position where something is in the way."""
# pulsar-client ships no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import socket
import time
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx2
import pulsar
import pytest

from magnetar.runtime.bus.port import EARLIEST, BusUnavailable, Position, Refused
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.client import PulsarBus
from tests.contract.bus.harness import SUBSCRIPTION, Bench, bodies, until
from tests.contract.bus.pulsar_harness import PulsarHarness

if TYPE_CHECKING:
    from magnetar.runtime.servers.pulsar import PulsarServer
    from tests.integration.pulsar.conftest import Victim

NAMESPACES = count(1)


class Turning:
    """Subscriptions that are asked about in one place, and in another from when it is `turned`."""

    def __init__(self, first: Admin, then: Admin) -> None:
        self._first = first
        self._then = then
        self.turned = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._then if self.turned else self._first, name)


def test_a_frozen_broker_is_not_waited_for(victim: Victim) -> None:
    """The seek fails by the client's time-out; whether it happened is unknown, and a new consumer starts over."""
    topic = victim.harness.topic()
    positions = victim.bench.sent(victim.bench.producer(topic), bodies(4))
    consumer = victim.bench.consumer(topic)
    victim.bench.received(consumer, 4)
    consumer.acknowledge(positions[3])
    with victim.frozen():
        started = time.monotonic()
        seek = consumer.seek(positions[1])
        assert time.monotonic() - started < 0.1
        with pytest.raises(BusUnavailable, match="Timeout"):
            until(seek.poll, 10, "the time-out")
        consumer.close()
    again = victim.bench.opened_when_free(lambda: victim.bench.bus.subscribe(topic, 0, SUBSCRIPTION))
    again = victim.bench.opened(again.seek(positions[1]))
    assert [each.body for each in victim.bench.received(again, 2)] == bodies(2, first=2)


@pytest.mark.parametrize("nobody", ["refuses", "is silent"])
def test_without_the_rest_api_a_cursor_is_not_known_yet(
    bench: Bench, nobody: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The opening does not wait for it, a line in the log says so, and it is asked again until it is told."""
    assert isinstance(bench.harness, PulsarHarness)
    topic = bench.harness.topic()
    positions = bench.sent(bench.producer(topic), bodies(3))
    first = bench.consumer(topic)
    bench.received(first, 3)
    first.acknowledge(positions[1])
    first.close()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1] if nobody == "is silent" else 1
        asked: Any = Turning(Admin(f"http://127.0.0.1:{port}", timeout=0.5), Admin(bench.harness.admin.url))
        bus = PulsarBus(replace(bench.harness.settings, mark_timeout=0.2), asked)
        consumer = bench.opened_when_free(lambda: bus.subscribe(topic, 0, SUBSCRIPTION))
        assert [each.body for each in bench.received(consumer, 1)] == bodies(1, first=2)
        until(lambda: consumer.cursor() or f"how far {SUBSCRIPTION} on" in caplog.text or None, 5, "a line in the log")
        assert consumer.cursor() is None
        asked.turned = True
        assert bench.cursor(consumer) == positions[1]
        bus.close()


def test_a_message_in_a_batch_is_a_place_to_go_back_to(bench: Bench) -> None:
    """A foreign producer may batch: the next delivery is the next message of that very batch."""
    assert isinstance(bench.harness, PulsarHarness)
    topic = bench.harness.topic()
    quiet = pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null")
    client = pulsar.Client(bench.harness.settings.service_url, logger=quiet)
    producer = client.create_producer(
        bench.harness.settings.partition(topic, 0), batching_enabled=True, batching_max_publish_delay_ms=1000
    )
    stored: dict[object, object] = {}
    for body in bodies(6):
        producer.send_async(body, stored.setdefault)
    producer.flush()
    client.close()
    consumer = bench.consumer(topic)
    found = bench.received(consumer, 6)
    assert [each.position.batch for each in found] == list(range(6))
    consumer.acknowledge(found[5].position)
    consumer.close()
    again = bench.opened_when_free(lambda: bench.bus.subscribe(topic, 0, SUBSCRIPTION))
    assert bench.cursor(again) == Position(found[0].position.ledger, found[0].position.entry)
    again = bench.opened(again.seek(found[2].position))
    assert [each.body for each in bench.received(again, 3)] == bodies(3, first=3)


def test_a_seek_before_what_retention_has_kept_is_refused(pulsar_server: PulsarServer) -> None:
    """The client would take it without a word, and go on with the first message that is left; we go on where it was."""
    harness = PulsarHarness(pulsar_server)
    settings = replace(harness.settings, application=f"trimmed-{next(NAMESPACES)}")
    _namespace_that_keeps_nothing(harness.admin, settings.application)
    full = settings.topic("orders")
    harness.admin.create_partitions(full, 1)
    harness.admin.create_subscription(f"{full}-partition-0", SUBSCRIPTION)
    harness.settings = settings
    bench = Bench(harness)
    told = PulsarBus(settings, Admin(pulsar_server.admin_url))
    first = bench.sent(bench.producer("orders", bus=told), bodies(3))
    consumer = bench.consumer("orders", bus=told)
    consumer.acknowledge(bench.received(consumer, 3)[-1].position)
    consumer.close()
    harness.unload("orders", 0)
    rest = bench.sent(bench.producer("orders", name="later", bus=told), bodies(2, first=3))
    until(lambda: _trimmed(pulsar_server, full, first[0].ledger), 30, "the first ledger's end")

    consumer = bench.opened_when_free(lambda: told.subscribe("orders", 0, SUBSCRIPTION))
    assert bench.cursor(consumer) == EARLIEST  # nothing that is kept is acknowledged
    with pytest.raises(Refused, match=f"ledger {first[0].ledger}"):
        bench.opened(consumer.seek(first[0]))
    assert [each.position for each in bench.received(consumer, 2)] == rest
    told.close()
    harness.close()


def test_nothing_is_subscribed_where_nobody_can_be_asked(bench: Bench) -> None:
    """R11: a first commit would move the position past what an older store lacks. To send needs no such word."""
    assert isinstance(bench.harness, PulsarHarness)
    deaf, topic = PulsarBus(bench.harness.settings), bench.harness.topic()
    with pytest.raises(Refused, match="only the REST API tells"):
        deaf.subscribe(topic, 0, SUBSCRIPTION)
    bench.sent(bench.producer(topic, bus=deaf), bodies(1))
    deaf.close()


def _namespace_that_keeps_nothing(admin: Admin, name: str) -> None:
    admin.create_namespace(f"public/{name}")
    admin.set_policy(f"public/{name}", "POST", "deduplication", value=False)  # its cursor would keep the ledgers
    nothing = {"retentionTimeInMinutes": 0, "retentionSizeInMB": 0}
    admin.set_policy(f"public/{name}", "POST", "retention", nothing)


def _trimmed(server: PulsarServer, full: str, ledger: int) -> bool | None:
    """Whether the ledger is gone; asks the broker to look."""
    place = f"{server.admin_url}/admin/v2/{full.replace('://', '/')}-partition-0"
    httpx2.post(f"{place}/trim", timeout=10).raise_for_status()
    kept = httpx2.get(f"{place}/internalStats", timeout=10).json()["ledgers"]
    return True if ledger not in {each["ledgerId"] for each in kept} else None
