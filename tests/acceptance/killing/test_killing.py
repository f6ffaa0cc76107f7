"""A worker process is killed at every fault point in turn, on a SQLite file and a real Pulsar, under load.

One life per point, one after another over the same store and topics; in the end everything sent must have been
applied exactly once and everything decided must have been published exactly once, by an independent read.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import pytest

from magnetar.runtime import Client
from magnetar.runtime.bus.port import Outgoing
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.applying import apply, survey
from magnetar.runtime.bus.pulsar.client import PulsarBus
from magnetar.runtime.bus.pulsar.provisioning import plan
from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from magnetar.runtime.compose import bus_place, store_place, wanted_of
from magnetar.runtime.identity import to_text
from magnetar.runtime.routing import partition_of
from magnetar.runtime.worker.points import all_points
from magnetar.schemas import Kept
from tests.acceptance.killing.till import TILL, Branch, Deposit, accounts, branches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from magnetar.runtime.servers import PulsarServer
    from magnetar.runtime.store.port import JournalRow
    from magnetar.runtime.store.views import Views

T = TypeVar("T")
LIFE = 20.0
REST = 60.0
OFTEN = (
    "store.commit",
    "store.dispositions",
    "store.states",
    "producer.",
    "consumer.receive",
    "consumer.ack",
    "phase:taken",
)
"""Points that every life passes many times: they are killed at the first or a later pass."""
AT_THE_END = frozenset({"store.release", "consumer.close", "producer.close", "bus.close", "store.close"})
"""Ports that a healthy worker calls only when it is asked to leave."""


@dataclass
class Till:
    """The running experiment: where things are, and what was sent."""

    server: PulsarServer
    store: str
    chance: random.Random
    client: Client
    bus: PulsarBus
    sent: dict[str, Deposit] = field(default_factory=dict)
    foreign: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    def feed(self) -> None:
        """A few deposits, some of them twice under one id."""
        batch: list[tuple[Deposit, str]] = []
        for _ in range(6):
            number = next(self.numbers)
            name = f"deposit-{number}"
            message = Deposit(account=f"a-{number % 7}", amount=number)
            self.sent[name] = message
            batch.extend([(message, name)] * self.chance.choice([1, 1, 2]))
        self.client.send_all(batch)
        self.feed_foreign()

    def feed_foreign(self) -> None:
        """A deposit from a producer that knows nothing of our properties: only the topic's schema."""
        self.foreign += 1
        topic = TILL.wire().topics["accounts"]
        message = Deposit(account=f"f-{self.foreign}", amount=1)
        partition = partition_of(message.account, 2)
        opening = self.bus.produce("accounts", partition, f"foreign-{self.foreign}", topic.codec.schema.text)
        producer = wait_for(opening.poll, "a producer")
        producer.send(1, Outgoing(message.account, topic.codec.encode(message), {}))
        receipts = wait_for(producer.receipts, "a receipt")
        assert receipts[0].error is None
        producer.close()

    def trouble(self, point: str) -> str:
        """What must go wrong so that a life reaches `point`."""
        if point.startswith(("store.reconnect", "phase:unknown")):
            return "unknown"
        if point.startswith("opening.abandon"):
            return f"freeze:{self.server.process.pid}"
        return "none"

    def live(self, point: str, nth: int) -> int:
        """One worker process, until it dies at `point` or is drained; returns its exit status."""
        trouble = self.trouble(point)
        command = [sys.executable, "-m", "tests.acceptance.killing.worker"]
        arguments = [self.server.service_url, "till", self.store, point, str(nth), trouble]
        with subprocess.Popen(
            [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as life:
            try:
                if point.partition(":")[0] in AT_THE_END:
                    assert life.stdout is not None
                    assert life.stdout.readline() == "ready\n"
                    life.send_signal(signal.SIGTERM)
                _, errors = life.communicate(timeout=LIFE)
            except subprocess.TimeoutExpired:
                life.kill()
                _, errors = life.communicate()
                pytest.fail(f"{point} was not reached within {LIFE} s; its stderr:\n{errors}")
            finally:
                self.server.resume()
        if life.returncode not in {0, -signal.SIGKILL}:
            pytest.fail(f"on the way to {point} the worker ended with {life.returncode}:\n{errors}")
        return life.returncode


def wait_for(question: Callable[[], T | None], what: str, within: float = REST) -> T:
    """The first true answer, or a failure that says what was waited for."""
    deadline = time.monotonic() + within
    while not (answer := question()):
        assert time.monotonic() < deadline, f"no {what} within {within} s"
        time.sleep(0.01)
    return answer


@pytest.fixture
def till(pulsar_server: PulsarServer, tmp_path: Path, chance: random.Random) -> Iterator[Till]:
    """The app provisioned on the real broker, a client, and an empty store file."""
    wiring = TILL.wire()
    with Admin(pulsar_server.admin_url) as admin:
        wanted = wanted_of(wiring)
        apply(admin, plan(wanted, survey(admin, wanted)))
    bus = PulsarBus(PulsarSettings(service_url=pulsar_server.service_url, application="till", log_file="/dev/null"))
    till = Till(pulsar_server, f"sqlite:///{tmp_path}/till.db", chance, Client(wiring, bus, timeout=30.0), bus)
    yield till
    till.client.close()
    bus.close()


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled_when_the_worker_dies_at_any_fault_point(till: Till) -> None:
    """Killed once at every named fault point, the worker applies everything once and publishes everything once."""
    not_reached: list[str] = []
    for point in all_points():
        till.feed()
        often = point.startswith(OFTEN) and not point.startswith("producer.close")
        if till.live(point, till.chance.choice([1, 2, 3]) if often else 1) == 0:
            not_reached.append(point)
    assert not_reached == [], "these points were not reached"
    finish(till)
    views = store_place(till.store).views()
    try:
        check(till, views)
    finally:
        views.close()


def finish(till: Till) -> None:
    """A last life that nothing kills, until all is applied, published and fired."""
    command = [
        sys.executable,
        "-m",
        "tests.acceptance.killing.worker",
        till.server.service_url,
        "till",
        till.store,
        "never",
        "1",
        "none",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as life:
        views = store_place(till.store).views()
        try:
            wait_for(lambda: at_rest(till, views), "rest")
        finally:
            views.close()
            life.send_signal(signal.SIGTERM)
        life.communicate(timeout=LIFE)
        assert life.returncode == 0, "the last life did not drain"


def at_rest(till: Till, views: Views) -> bool:
    """Every deposit counted, every reminder fired, nothing unsent."""
    states = list(views.states_of("accounts"))
    done = sum(1 for row in views.journal_of("accounts") if row.type.endswith(".Counted"))
    timers = any(views.timers_of("accounts", row.key) for row in states)
    unsent = views.unsent_of("accounts") or views.unsent_of("branches")
    return done == len(till.sent) + till.foreign and not timers and not unsent


def check(till: Till, views: Views) -> None:
    """The invariants, from the store, the topics and the sender's own log."""
    journals = {actor.name: list(views.journal_of(actor.name)) for actor in (accounts, branches)}
    check_applied_once(till, journals["accounts"])
    for rows in journals.values():
        check_versions(rows)
    check_published_once([row for rows in journals.values() for row in rows], read_all(till))
    total = sum(message.amount for message in till.sent.values()) + till.foreign
    assert sum(int(str(row[3])) for row in views.rows_of("bookings")) == total
    codec = TILL.wire().actors["branches"].codec
    counted = [codec.decode(row.body, codec.schema, Kept("branches", row.key)) for row in views.states_of("branches")]
    assert sum(branch.total for branch in counted if isinstance(branch, Branch)) == total


def check_applied_once(till: Till, rows: list[JournalRow]) -> None:
    """Each id that was sent has one row, each foreign message too, and there is nothing from nowhere."""
    deposits = [row for row in rows if row.type.endswith(".Deposit")]
    assert len(deposits) == len(till.sent) + till.foreign
    assert len({row.message_id for row in deposits}) == len(deposits)
    assert all(row.disposition == "applied" for row in rows)


def check_versions(rows: list[JournalRow]) -> None:
    """Per key the versions are 1, 2, 3 and so on."""
    by_key: dict[str, list[int]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row.version)
    for key, versions in by_key.items():
        assert sorted(versions) == list(range(1, len(versions) + 1)), f"versions of {key}"


def check_published_once(rows: list[JournalRow], published: Counter[str]) -> None:
    """What the journals say was sent is on the topics, each id once, and nothing else of ours is."""
    decided = Counter(entry["id"] for row in rows for entry in json.loads(row.sent) if "id" in entry)
    ours = Counter(
        {message_id: count for message_id, count in published.items() if not message_id.startswith("deposit-")}
    )
    assert ours == decided
    assert set(decided.values()) == {1}
    assert {to_text(row.message_id) for row in rows if row.causation_id and row.source != "timer"} == set(decided)


def read_all(till: Till) -> Counter[str]:
    """How often each message id stands on any partition of any topic, read beside every subscription."""
    place = bus_place(till.server.service_url, "till")
    wiring = TILL.wire()
    deliveries = [each for topic in wiring.topics for partition in range(2) for each in place.log(topic, partition)]
    return Counter(each.properties["message_id"] for each in deliveries if "message_id" in each.properties)
