"""A real Pulsar as a local process: it is what was pinned and set, it carries messages, it keeps them, it ends."""
# pulsar-client ships no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulsar
import pytest

from magnetar.runtime.servers import settings
from magnetar.runtime.servers.errors import DataBusy
from magnetar.runtime.servers.health import CHECKS, first_missing, missing
from magnetar.runtime.servers.kept import Wanted, bring_down, bring_up, look
from magnetar.runtime.servers.pulsar import PulsarPlan, PulsarServer
from tests.fixtures_pulsar import thrown_away

LISTENING = "0A"  # as the kernel numbers it
TEN = [f"message {number}".encode() for number in range(1, 11)]


def _rest(server: PulsarServer, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    host = server.admin_url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
    finally:
        connection.close()
    return answer.status, json.loads(said) if said.startswith((b"{", b"[")) else said.decode()


def _topic(server: PulsarServer, *subscriptions: str) -> str:
    """A new topic of the test's own, with subscriptions."""
    name = f"public/default/servers-{uuid.uuid4().hex[:8]}"
    assert _rest(server, "PUT", f"/admin/v2/persistent/{name}")[0] == 204
    for subscription in subscriptions:
        assert _rest(server, "PUT", f"/admin/v2/persistent/{name}/subscription/{subscription}")[0] == 204
    return f"persistent://{name}"


@contextmanager
def _client(server: PulsarServer) -> Generator[pulsar.Client]:
    quiet = pulsar.FileLogger(pulsar.LoggerLevel.Error, str(server.data / "client.txt"))
    client = pulsar.Client(server.service_url, operation_timeout_seconds=20, logger=quiet)
    try:
        yield client
    finally:
        client.close()


def _publish(server: PulsarServer, topic: str, messages: list[bytes], first: int = 1) -> list[str]:
    """Send under a name and with numbers; the answers."""
    with _client(server) as client:
        producer = client.create_producer(topic, producer_name="test", batching_enabled=False)
        return [str(producer.send(message, sequence_id=number)) for number, message in enumerate(messages, start=first)]


def _consume_to(server: PulsarServer, topic: str, last: bytes) -> list[bytes]:
    """Everything up to a message."""
    with _client(server) as client:
        consumer = client.subscribe(topic, "test", consumer_type=pulsar.ConsumerType.Exclusive)
        got: list[bytes] = []
        while not got or got[-1] != last:
            got.append(consumer.receive(20_000).data())
        return got


def _consume(server: PulsarServer, topic: str, count: int, *, acknowledge: bool = True) -> list[bytes]:
    with _client(server) as client:
        consumer = client.subscribe(topic, "test", consumer_type=pulsar.ConsumerType.Exclusive)
        got = [consumer.receive(20_000) for _ in range(count)]
        if acknowledge:
            consumer.acknowledge_cumulative(got[-1])
        return [message.data() for message in got]


def _port(server: PulsarServer) -> int:
    return int(server.admin_url.rsplit(":", 1)[1])


@pytest.fixture(scope="module")
def own(pulsar_plan: PulsarPlan, tmp_path_factory: pytest.TempPathFactory) -> Generator[PulsarServer]:
    """A server that these tests may kill and freeze; each leaves it running."""
    with thrown_away(replace(pulsar_plan, data=tmp_path_factory.mktemp("own"))) as server:
        yield server


def test_it_is_ready_when_start_returns(pulsar_server: PulsarServer) -> None:
    """Broker, the namespace of a standalone, and a message that went round."""
    assert first_missing(_port(pulsar_server)) is None
    assert _rest(pulsar_server, "GET", "/admin/v2/brokers/version") == (200, "4.0.8")


def test_our_settings_are_in_force(pulsar_server: PulsarServer) -> None:
    """The broker itself says so: no mistyped key, no value that it would not take."""
    status, broker = _rest(pulsar_server, "GET", "/admin/v2/brokers/configuration/runtime")
    assert status == 200
    of_the_bookie = {key for key in settings.ours() if key.startswith(("dbStorage", "journal", "allowEphemeral"))}
    asked = {key: value for key, value in settings.ours().items() if key not in of_the_bookie}
    assert {key: broker.get(key) for key in asked} == asked


def test_it_listens_on_the_loopback_interface_only(pulsar_server: PulsarServer) -> None:
    """Nobody else on the network can reach broker, REST API or bookie."""
    assert _listening(pulsar_server.process.pid) == {"0100007F"}


def test_ten_messages_go_through_in_order(pulsar_server: PulsarServer) -> None:
    """A topic and a subscription made over REST carry what is published."""
    topic = _topic(pulsar_server, "test")
    _publish(pulsar_server, topic, TEN)
    assert _consume(pulsar_server, topic, 10) == TEN


def test_a_number_sent_twice_is_stored_once(pulsar_server: PulsarServer) -> None:
    """The broker drops what the relay sends again (R18, R19)."""
    topic = _topic(pulsar_server, "test")
    _publish(pulsar_server, topic, TEN[:5])
    assert _publish(pulsar_server, topic, TEN, first=1)[:5] == ["(-1,-1,-1,-1)"] * 5
    assert _consume(pulsar_server, topic, 10) == TEN


def test_nothing_is_made_by_mistyping(pulsar_server: PulsarServer) -> None:
    """A topic or a subscription that was not provisioned is an error, and is not there afterwards."""
    topic = _topic(pulsar_server, "test")
    with _client(pulsar_server) as client, pytest.raises(pulsar.TopicNotFound):
        client.create_producer(topic + "-x")
    quiet = pulsar.FileLogger(pulsar.LoggerLevel.Error, str(pulsar_server.data / "client.txt"))
    client = pulsar.Client(pulsar_server.service_url, operation_timeout_seconds=2, logger=quiet)
    try:
        with pytest.raises(pulsar.PulsarException):
            client.subscribe(topic, "tset")
    finally:
        client.close()
    path = f"/admin/v2/persistent/{topic.removeprefix('persistent://')}/subscriptions"
    assert _rest(pulsar_server, "GET", path) == (200, ["test"])


def test_a_killed_server_comes_back_with_everything(own: PulsarServer) -> None:
    """Topics, messages and the producer's numbers survive SIGKILL; the addresses stay.

    An acknowledgement may be lost by a crash: what was acknowledged may come again; nothing else is missing.
    """
    topic = _topic(own, "test")
    _publish(own, topic, TEN)
    assert _consume(own, topic, 4) == TEN[:4]
    before = (own.service_url, own.admin_url, own.process)
    own.kill()
    assert "ConnectionRefusedError" in str(first_missing(_port(own)))
    own.start()
    assert (own.service_url, own.admin_url) == before[:2]
    assert own.process != before[2]
    assert _publish(own, topic, TEN[-1:], first=10) == ["(-1,-1,-1,-1)"]
    got = _consume_to(own, topic, TEN[-1])
    assert got == TEN[len(TEN) - len(got) :]
    assert len(got) >= len(TEN[4:])


def test_a_stopped_server_comes_back_with_everything(own: PulsarServer) -> None:
    """The same after an orderly end."""
    topic = _topic(own, "test")
    _publish(own, topic, TEN)
    own.stop()
    own.start()
    assert _consume(own, topic, 10) == TEN


def test_a_frozen_server_answers_again_when_thawed(own: PulsarServer) -> None:
    """SIGSTOP and SIGCONT: nothing answers, and then all is as before."""
    topic = _topic(own, "test")
    _publish(own, topic, TEN)
    own.pause()
    assert "TimeoutError" in str(missing(_port(own), CHECKS[0], 0.5))
    own.resume()
    assert _consume(own, topic, 10) == TEN


def test_up_and_down_leave_others_alone(pulsar_server: PulsarServer, pulsar_plan: PulsarPlan, tmp_path: Path) -> None:
    """A kept server beside another one: brought up once, found again, brought down; the other one goes on."""
    plan = replace(pulsar_plan, data=tmp_path / "kept", tied=False)
    found, started = bring_up(plan.data, Wanted(), lambda: plan)
    try:
        assert started
        assert bring_up(plan.data, Wanted(), _no_plan) == (found, False)
        with pytest.raises(DataBusy):
            PulsarServer(plan).start()
        assert look(plan.data) == (found, "")
    finally:
        assert bring_down(plan.data) == found
    assert look(plan.data) is None
    assert not found.process.alive()
    assert first_missing(_port(pulsar_server)) is None


def _no_plan() -> PulsarPlan:
    raise AssertionError


def _listening(pid: int) -> set[str]:
    """The local addresses, in the kernel's hexadecimal, on which a process listens."""
    held = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]
    ]
    return {row[1].split(":")[0] for row in rows if row[3] == LISTENING and f"socket:[{row[9]}]" in held}
