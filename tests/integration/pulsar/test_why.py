"""`magnetar key why` names the true cause, whatever keeps a key: real broker, PostgreSQL, a worker, the real command.

Each cause is brought about, and the command is run as a person would, at another place than the worker's: it reads the
store alone.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from magnetar.runtime import (
    Actor,
    App,
    Breaking,
    Call,
    Client,
    Command,
    Context,
    Dependency,
    Effect,
    Key,
    NotSent,
    Outcome,
    PermanentError,
    Policy,
    Retry,
    State,
    Timer,
    Unknown,
    replace,
)
from magnetar.runtime.compose.places import bus_place, store_place
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.compose.topics import Cluster
from tests.acceptance.cli.program import answer
from tests.contract.bus.harness import until
from tests.contract.store.postgres_harness import PostgresDatabases

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from magnetar.runtime.servers.postgres import PostgresServer
    from magnetar.runtime.servers.pulsar import PulsarServer

PATIENCE = 60.0


class Do(Command):
    """Do this: a word that the handler knows."""

    job: Key
    deed: str = "nothing"


class Extra(Command):
    """Of a newer release: the older one has no handler for it."""

    job: Key


class Late(Timer):
    """It is time."""


class Dial(Effect):
    """Call somebody who is slow."""

    number: int


class Ring(Effect):
    """Call somebody who is not there."""

    number: int


class Done(Outcome):
    """It was done."""


class Nobody(Unknown):
    """Nobody knows."""


class Job(State):
    """How much came of it."""

    done: int = 0


slow = Dependency("slow", timeout=120.0)
gone = Dependency("gone", tiers=(0.1,), attempts=1_000, rate=1_000.0, breaking=Breaking(least=2, window=4, opens=300.0))
POLICY = Policy(partitions=2, retry=Retry(immediate=1, tiers=(60.0,), attempts=3, jitter=0.0))
hung_up = threading.Event()


def do(job: Job, message: Do, context: Context) -> Job:
    """As its word says."""
    if message.deed == "fail":
        text = f"{context.key} is jammed"
        raise OSError(text)
    if message.deed == "die":
        text = "never"
        raise PermanentError(text)
    if message.deed == "wait":
        context.schedule(Late(), after=3600)
    if message.deed == "dial":
        context.effect(Dial(number=7))
    if message.deed == "ring":
        context.effect(Ring(number=8))
    return replace(job, done=job.done + 1)


def extra(job: Job, message: Extra, context: Context) -> Job:
    """The newer release's."""
    return replace(job, done=job.done + 1)


def late(job: Job, message: Late, context: Context) -> Job:
    """Enough."""
    return job


def done(job: Job, message: Done, context: Context) -> Job:
    """Good."""
    return job


def nobody(job: Job, message: Nobody, context: Context) -> Job:
    """Bad."""
    return job


def dial(request: Dial, call: Call) -> Done:
    """It takes until the test hangs up."""
    hung_up.wait(PATIENCE)
    return Done()


def ring(request: Ring, call: Call) -> Done:
    """Nobody is there."""
    text = f"{request.number} is no number"
    raise NotSent(text)


def jobs(*, newer: bool) -> Actor[Job]:
    """The actor of this release, or of the one after it."""
    actor = Actor("jobs", Job, policy=POLICY)
    actor.handles(do)
    actor.handles(late)
    actor.handles(done)
    actor.handles(nobody)
    if newer:
        actor.handles(extra)
    actor.effect(slow, unknown=Nobody)(dial)
    actor.effect(gone, unknown=Nobody)(ring)
    return actor


class Plant:
    """An app of a namespace and a database of its own, and one worker, of the older release."""

    def __init__(self, server: PulsarServer, store: str, folder: Path) -> None:
        self.store, self.folder = store, folder
        name = f"jobs{uuid4().hex[:8]}"
        self.newer = App(name, jobs(newer=True)).wire()
        self.bus = bus_place(server.service_url, name, admin=server.admin_url)
        with Cluster(server.admin_url, self.newer) as cluster:
            cluster.apply()
        self.worker = RunningWorker(App(name, jobs(newer=False)).wire(), self.bus, store_place(store), owner="w0")
        self.worker.start()

    def send(self, *messages: Do | Extra) -> None:
        """As a web handler of the newer release would."""
        views = store_place(self.store).views()
        bus = self.bus.connect("web")
        client = Client(self.newer, bus, views)
        client.send_all([(message, uuid4().hex) for message in messages])
        client.close()
        bus.close()
        views.close()

    def run(self, *arguments: str) -> tuple[int, str]:
        """A command that a person types."""
        return answer(self.folder, *arguments, "--store", self.store)

    def why(self, key: str) -> dict[str, Any]:
        """What the command says of a key."""
        _, out = self.run("key", "why", f"jobs/{key}", "--json")
        found: dict[str, Any] = json.loads(out)
        return found

    def becomes(self, key: str, cause: str) -> dict[str, Any]:
        """What it says when it names this cause first; the first obstacle, and all else under `all`."""
        told: list[str] = []

        def looked() -> dict[str, Any] | None:
            found = self.why(key)
            first: dict[str, Any] = found["obstacles"][0]
            told.append(first["cause"])
            return {**first, "all": found} if first["cause"] == cause else None

        return until(looked, PATIENCE, f"{cause}; told was {told}")

    def close(self) -> None:
        """Let go of everything."""
        self.worker.kill()


def made(server: PulsarServer, postgres: PostgresServer, folder: Path) -> Generator[Plant]:
    """Made, and let go of."""
    plant = Plant(server, PostgresDatabases(postgres).create(), folder)
    yield plant
    plant.close()


@pytest.fixture(scope="module")
def plant(
    pulsar_server: PulsarServer, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Plant]:
    """One that stays as it is: each test has a key of its own."""
    for plant in made(pulsar_server, postgres_server, tmp_path_factory.mktemp("why")):
        yield plant
        hung_up.set()


@pytest.fixture
def doomed(pulsar_server: PulsarServer, postgres_server: PostgresServer, tmp_path: Path) -> Generator[Plant]:
    """One whose worker the test may end."""
    yield from made(pulsar_server, postgres_server, tmp_path)


@pytest.fixture
def cut_off(own_server: PulsarServer, postgres_server: PostgresServer, tmp_path: Path) -> Generator[Plant]:
    """One whose broker the test may stop."""
    yield from made(own_server, postgres_server, tmp_path)


def near(text: str | None, seconds: float = PATIENCE) -> bool:
    """Whether an instant is less than so long ago, or ahead."""
    return text is not None and abs(datetime.now(UTC) - datetime.fromisoformat(text)) < timedelta(seconds=seconds)


def test_nothing_is_wrong(plant: Plant) -> None:
    """Everything that came is applied; a key that never was is told, too, by the exit status."""
    plant.send(Do(job="fine"))
    until(lambda: plant.why("fine")["seen"] or None, PATIENCE, "the message")
    found = plant.becomes("fine", "nothing is wrong")
    assert (found["what"], found["all"]["version"]) == ("all that came for it is applied", 1)
    assert found["all"]["owner"] == "w0"
    assert plant.run("key", "why", "jobs/never", "--json")[0] == 1


def test_a_retry_is_pending(plant: Plant) -> None:
    """The message in front, decoded, its attempts, and what waits behind it."""
    plant.send(Do(job="retry", deed="fail"), Do(job="retry"))
    plant.becomes("retry", "retry pending")
    until(lambda: plant.why("retry")["behind"] == 1 or None, PATIENCE, "the one behind")
    found = plant.becomes("retry", "retry pending")
    assert "Do has failed once: OSError: retry is jammed" in found["what"]
    assert near(found["since"])
    assert near(found["at"], 120)
    assert found["all"]["blocking"]["content"]["value"] == {"job": "retry", "deed": "fail"}
    assert [each["error"] for each in found["all"]["attempts"]] == ["OSError"]


def test_a_key_is_held_after_a_dead_letter(plant: Plant) -> None:
    """Nothing goes on by itself."""
    plant.send(Do(job="held", deed="die"), Do(job="held"))
    found = plant.becomes("held", "held after a dead letter")
    assert found["what"].startswith("Do died: ")
    assert found["at"] is None
    assert any("dlq replay" in remedy for remedy in found["remedies"])


def test_a_person_has_paused_it(plant: Plant) -> None:
    """Who, and why."""
    assert plant.run("keys", "pause", "jobs/paused", "--who", "ann", "--why", "a call from the bank")[0] == 0
    found = plant.becomes("paused", "paused by a person")
    assert "ann, a call from the bank" in found["what"]


def test_an_effect_is_in_flight(plant: Plant) -> None:
    """What is asked, with its idempotency key, since when, and when it counts as unknown."""
    plant.send(Do(job="flight", deed="dial"))
    until(lambda: "under way" in plant.why("flight")["obstacles"][0]["what"] or None, PATIENCE, "the call")
    found = plant.becomes("flight", "effect in flight")
    assert found["what"] == "Dial of slow is under way, attempt 1"
    assert near(found["since"])
    [effect] = found["all"]["effects"]
    assert (effect["content"]["value"], effect["state"]) == ({"number": 7}, "open")
    assert effect["idempotency_key"] in found["remedies"][0]


def test_a_breaker_is_open(plant: Plant) -> None:
    """Of whom, since when, until when; other keys of the shard go on."""
    plant.send(*[Do(job=f"rings-{number}", deed="ring") for number in range(4)])
    found = plant.becomes("rings-0", "breaker open")
    assert "too many calls of gone had no answer" in found["what"]
    assert near(found["since"])
    assert near(found["at"], 300 + PATIENCE)
    _, shown = plant.run("key", "why", "jobs/rings-0")
    assert "jobs/rings-0  breaker open" in shown
    assert "Ring of gone, key" in shown


def test_a_timer_is_awaited(plant: Plant) -> None:
    """The next thing to happen by itself."""
    plant.send(Do(job="timer", deed="wait"))
    found = plant.becomes("timer", "timer awaited")
    assert found["next"] == "Late fires"


def test_a_head_that_no_code_here_can_read(plant: Plant) -> None:
    """Of a newer release: no attempt is spent, and the person reads what it says all the same."""
    plant.send(Extra(job="unread"), Do(job="unread"))
    found = plant.becomes("unread", "first message cannot be read")
    assert "no code here can read or handle Extra" in found["what"]
    assert found["all"]["blocking"]["content"]["value"] == {"job": "unread"}
    assert found["all"]["attempts"] == []


def test_a_shard_has_no_owner(doomed: Plant) -> None:
    """Its worker is gone, and no other is there; what the key waits for besides comes after that."""
    doomed.send(Do(job="lonely", deed="fail"))
    doomed.becomes("lonely", "retry pending")
    doomed.worker.kill()
    found = doomed.becomes("lonely", "shard without owner")
    assert found["what"].startswith("w0, who had jobs/")
    assert found["next"] == "nothing: no worker that serves jobs is alive"
    assert [each["cause"] for each in found["all"]["obstacles"]] == ["shard without owner", "retry pending"]


@pytest.mark.timeout(240)
def test_the_broker_is_down(cut_off: Plant, own_server: PulsarServer) -> None:
    """The worker lives, and hears nothing."""
    cut_off.send(Do(job="deaf"))
    until(lambda: cut_off.why("deaf")["seen"] or None, PATIENCE, "the message")
    own_server.stop()
    try:
        found = cut_off.becomes("deaf", "broker out of reach")
        assert near(found["since"])
        assert "magnetar workers" in found["remedies"]
    finally:
        own_server.start()
    cut_off.becomes("deaf", "nothing is wrong")
