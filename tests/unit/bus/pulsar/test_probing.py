"""Who is silent is known by questions to each alone, and told to those who open anything (R32)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from magnetar.runtime.bus.port import Outgoing
from magnetar.runtime.bus.pulsar import native
from magnetar.runtime.bus.pulsar.client import PulsarBus
from magnetar.runtime.bus.pulsar.consumer import PulsarConsumer
from magnetar.runtime.bus.pulsar.hosts import hosts_of
from magnetar.runtime.bus.pulsar.probing import Doubt, Ear, Probes
from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from tests.unit.bus.pulsar.client_double import Result, Sending

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Clock:
    """Seconds, moved by the test."""

    now: float = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@dataclass
class Cluster:
    """Brokers, and clients that ask them in turn, as the real one does. The `dead` refuse, `frozen` ones are silent."""

    dead: set[str] = field(default_factory=set)
    frozen: set[str] = field(default_factory=set)
    connected: list[ClientOf] = field(default_factory=list)

    def connect(self, settings: PulsarSettings, operation_timeout: float) -> ClientOf:
        """As `native`."""
        del operation_timeout
        self.connected.append(ClientOf(self, hosts_of(settings.service_url)))
        return self.connected[-1]


@dataclass
class ClientOf:
    """A client that knows these hosts."""

    cluster: Cluster
    hosts: tuple[str, ...]
    asked: int = 0
    closed: bool = False

    def answer(self) -> str:
        """That of the host whose turn it is; none is empty."""
        self.asked += 1
        host = self.hosts[(self.asked - 1) % len(self.hosts)]
        return "" if host in self.cluster.frozen else "ConnectError" if host in self.cluster.dead else "Ok"

    def get_topic_partitions_async(self, topic: str, done: Callable[[Result, list[str]], object]) -> None:
        """As the client."""
        if answer := self.answer():
            done(Result(answer), [topic])

    def create_producer_async_v2(self, topic: str, configuration: object, done: Callable[[str], object]) -> None:
        """As the client: for the partitions, then for the broker."""
        del topic, configuration
        answer = self.answer()
        if answer == "Ok":
            answer = self.answer()
        if answer:
            done(answer)

    def close(self) -> None:
        """As the client."""
        self.closed = True


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """What every client of the test connects to."""
    cluster = Cluster()
    monkeypatch.setattr(native, "connect", cluster.connect)
    return cluster


def produced(bus: PulsarBus) -> bool:
    """Whether an opening succeeded."""
    outcome: Any = bus.produce("orders", 0, "web", None)._arrival.take()
    return bool(outcome == "Ok")


@pytest.mark.parametrize("dead", ["a:1", "b:1"])
def test_the_second_opening_leaves_out_who_did_not_answer_the_first(cluster: Cluster, dead: str) -> None:
    """Wherever it stands in the service URL; with it, none would ever succeed."""
    cluster.dead.add(dead)
    bus = PulsarBus(PulsarSettings(service_url="pulsar://a:1,b:1", application="shop"))
    outcomes = [produced(bus) for _ in range(4)]
    bus.close()
    assert outcomes[1:] == [True] * 3
    assert all(client.closed for client in cluster.connected)


def test_a_producer_that_waits_finds_out_who_is_silent(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process that pings nobody: whoever is made anew after that is opened at the first try."""
    monkeypatch.setattr("magnetar.runtime.bus.pulsar.producer._LATE", -1.0)
    monkeypatch.setattr("magnetar.runtime.bus.pulsar.probing._PAUSE", 0.0)
    bus = PulsarBus(PulsarSettings(service_url="pulsar://a:1,b:1", application="shop"))
    sending: Any = Sending()
    producer = bus.produce("orders", 0, "web", None)._wrap(sending)
    assert producer is not None
    cluster.dead.add("a:1")
    producer.send(1, Outgoing("o-1", b"body", {}))
    assert not producer.receipts()
    assert bus._entrances.partly_silent()
    cluster.frozen.add("a:1")
    assert produced(bus)
    bus.close()


def test_a_renewed_bus_knows_who_was_silent(cluster: Cluster) -> None:
    """So that whoever renews every few seconds does not begin with it each time, and wait for it."""
    bus = PulsarBus(PulsarSettings(service_url="pulsar://a:1,b:1", application="shop"))
    cluster.dead.add("a:1")
    bus.ping("orders")
    cluster.frozen.add("a:1")
    former = list(cluster.connected)
    bus.renew()
    assert produced(bus)
    bus.close()
    assert all(client.closed for client in former)


def test_it_closes_what_it_opened_without_waiting_while_a_host_is_silent(cluster: Cluster) -> None:
    """A worker that lets go of what a frozen broker has does not stand still for it."""
    bus = PulsarBus(PulsarSettings(service_url="pulsar://a:1,b:1", application="shop"))
    cluster.dead.add("a:1")
    entrances = bus._entrances
    before, now = entrances.all, entrances.now("orders")
    assert entrances.partly_silent()
    assert before is not now
    for each in (before, now):
        assert not each.consumers_farewell._answering()
        assert not each.producers_farewell._answering()
    bus.close()


def test_with_one_host_there_is_nobody_to_ask(cluster: Cluster) -> None:
    """No more clients than it takes, and no question."""
    bus = PulsarBus(PulsarSettings(service_url="pulsar://a:1", application="shop"))
    assert produced(bus)
    bus.close()
    assert len(cluster.connected) == 3
    assert sum(client.asked for client in cluster.connected) == 2


def test_who_answers_again_is_asked_again(cluster: Cluster) -> None:
    """A second after the last question."""
    clock = Clock()
    clients: Any = {host: ClientOf(cluster, (host,)) for host in ("a", "b")}
    cluster.dead.add("a")
    probes = Probes(clients, 1.0, clock=clock)
    probes.ask("orders")
    assert probes.silent() == {"a"}
    cluster.dead.clear()
    clock.now = 0.9
    probes.ask("orders")
    assert probes.silent() == {"a"}
    clock.now = 1.0
    probes.ask("orders")
    assert not probes.silent()


@pytest.mark.parametrize(("name", "silent"), [("Ok", False), ("TopicNotFound", False), ("Timeout", True)])
def test_any_word_of_a_broker_shows_that_it_is_there(name: str, silent: bool) -> None:  # noqa: FBT001
    """Also a refusal; a time-out is none."""
    ear = Ear(1.0, Clock())
    ear.ask(lambda done: done(Result(name), []))
    assert ear.silent() == silent


class Holding:
    """A client's consumer that believes that it is connected, and asks its broker."""

    def __init__(self) -> None:
        self.asked: list[Callable[[Result, object], object]] = []

    def is_connected(self) -> bool:
        """As the client."""
        return True

    def get_last_message_id_async(self, done: Callable[[Result, object], object]) -> None:
        """As the client."""
        self.asked.append(done)


def test_a_consumer_whose_broker_is_silent_is_not_connected() -> None:
    """Whatever the client believes; but it is asked only when there is a reason, until it answers."""
    clock, holding, reasons = Clock(), Holding(), [False]
    client: Any = holding
    doubt = Doubt(client, lambda: reasons[0], 2.0, clock)
    nobody: Any = None
    consumer = PulsarConsumer(client, nobody, topic="t", partition=0, farewell=nobody, patience=1.0, doubt=doubt)
    assert consumer.connected()
    assert not holding.asked
    reasons[0] = True
    assert consumer.connected()
    clock.now = 2.1
    assert not consumer.connected()
    reasons[0] = False
    holding.asked[0](Result("Timeout"), None)
    assert not consumer.connected()
    assert len(holding.asked) == 2
    holding.asked[1](Result("Ok"), None)
    assert consumer.connected()
    clock.now = 9.0
    assert consumer.connected()
    assert len(holding.asked) == 2
