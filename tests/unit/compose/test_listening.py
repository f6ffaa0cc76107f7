"""A real worker, asked over real HTTP: what it did, whether it lives, whether it is ready."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from magnetar.runtime import Client
from magnetar.runtime.bus.memory import Broker
from magnetar.runtime.compose.listening import Listening
from magnetar.runtime.compose.places import EmbeddedBus, provision_embedded, store_place
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.store.port import StoreUnavailable
from magnetar.runtime.store.sqlite.store import SqliteStore
from magnetar.runtime.telemetry.address import Address
from magnetar.runtime.threads.loop import wall_clock
from tests.unit.compose.counting import Add, Break, Trap, counting

WAIT = 20.0


class Site:
    """A worker on the in-process bus and a SQLite file, and its pages."""

    def __init__(self, folder: Path) -> None:
        """Listening; the worker is not made yet."""
        self.wiring = counting.wire()
        self.broker = Broker(wall_clock)
        provision_embedded(self.broker, self.wiring)
        self.store = store_place(f"sqlite:///{folder}/site.db")
        self.listening = Listening(self.wiring, Address("127.0.0.1", 0))
        self.workers: list[RunningWorker] = []
        self.trap = Trap()

    def worker(self) -> RunningWorker:
        """The worker, started."""
        bus, observer = EmbeddedBus(self.broker), self.listening.observer
        worker = RunningWorker(self.wiring, bus, self.store, observer=observer, handler_deadline=WAIT, points=self.trap)
        self.workers.append(worker)
        self.listening.watch(worker)
        worker.start()
        return worker

    def client(self) -> Client:
        """From outside."""
        return Client(self.wiring, EmbeddedBus(self.broker).connect("client"), self.store.views())

    def ask(self, path: str) -> tuple[int, str]:
        """A page."""
        with closing(HTTPConnection(*self.listening.address, timeout=WAIT)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def verdict(self, path: str) -> tuple[int, list[str]]:
        """A page that says yes or no."""
        status, body = self.ask(path)
        told = json.loads(body)
        assert told["alive" if path == "/healthz" else "ready"] == (status == 200)
        return status, told["reasons"]

    def value(self, name: str, **labels: str) -> float | None:
        """A series of `/metrics`."""
        families = text_string_to_metric_families(self.ask("/metrics")[1])
        found = [s.value for f in families for s in f.samples if s.name == name and s.labels == labels]
        return found[0] if found else None


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Closed at the end."""
    made = Site(tmp_path)
    yield made
    for worker in made.workers:
        worker.kill()
    made.listening.close()


def until(question: Callable[[], bool], what: str) -> None:
    """Wait for a condition, or fail."""
    end = time.monotonic() + WAIT
    while not question():
        assert time.monotonic() < end, f"no {what} within {WAIT} s"
        time.sleep(0.01)


def test_a_worker_tells_what_it_has_done(site: Site) -> None:
    """After the commit, in numbers that agree with the journal."""
    site.worker()
    site.client().send_all([(Add(counter=f"k-{number % 7}"), None) for number in range(500)])
    applied = {"actor": "counters", "outcome": "applied"}
    until(lambda: site.value("magnetar_messages_settled_total", **applied) == 500, "500 messages")
    assert site.value("magnetar_message_age_seconds_count", actor="counters") == 500
    assert site.value("magnetar_commit_messages_sum") == 500
    commits, timed = site.value("magnetar_commits_total"), site.value("magnetar_commit_duration_seconds_count")
    assert commits is not None
    assert timed is not None
    assert 1 <= commits <= timed
    assert site.value("magnetar_shards_owned", actor="counters") == 2
    steps, busy = site.value("magnetar_loop_steps_total"), site.value("magnetar_loop_busy_seconds_total")
    assert steps is not None
    assert busy is not None
    assert steps > commits
    assert 0 < busy < WAIT
    live = [site.value("magnetar_entities_live", shard=f"counters/{partition}") or 0 for partition in range(2)]
    assert sum(live) == 7


def test_a_worker_is_alive_before_it_is_ready(site: Site) -> None:
    """A probe that starts early kills nobody."""
    assert site.verdict("/healthz") == (200, [])
    assert site.verdict("/readyz") == (503, ["the worker is being made"])
    site.worker()
    until(lambda: site.verdict("/readyz") == (200, []), "readiness")
    assert site.verdict("/healthz") == (200, [])


def test_a_worker_that_owns_nothing_is_ready(site: Site) -> None:
    """Another one has everything; and it takes over without becoming unready."""
    first = RunningWorker(site.wiring, EmbeddedBus(site.broker), site.store, owner="first")
    site.workers.append(first)
    first.start()
    until(lambda: first.ready, "first worker")
    site.worker()
    until(lambda: site.verdict("/readyz") == (200, []), "readiness")
    assert site.value("magnetar_shards_owned", actor="counters") == 0
    first.drain()
    until(lambda: site.value("magnetar_shards_owned", actor="counters") == 2, "takeover")
    assert site.value("magnetar_takeovers_total", actor="counters", how="released") == 2
    assert site.verdict("/readyz") == (200, [])


def test_a_worker_without_its_store_lives_and_is_not_ready(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """To start it anew would not bring the store back. When the store is there again, it is ready again."""
    worker = site.worker()
    until(lambda: worker.ready and site.verdict("/readyz")[0] == 200, "readiness")

    def away(store: SqliteStore, beat: object) -> None:
        raise StoreUnavailable("the disk is away: /secret/place")

    with monkeypatch.context() as broken:
        broken.setattr(SqliteStore, "beat", away)
        until(lambda: site.verdict("/readyz")[0] == 503, "unreadiness")
        assert site.verdict("/healthz") == (200, [])
        [reason] = site.verdict("/readyz")[1]
        assert reason.startswith("the store has not answered for")
        assert site.value("magnetar_waits_total", reason="store")
    until(lambda: site.verdict("/readyz")[0] == 200, "readiness again")


def test_a_worker_whose_loop_has_failed_does_not_live(site: Site) -> None:
    """Its last word is in the log; what an error says may be a secret."""
    worker = site.worker()
    site.trap.set = True
    site.client().send(Add(counter="a"))
    assert worker.wait(WAIT)
    status, reasons = site.verdict("/healthz")
    assert (status, reasons) == (503, ["the loop has stopped: BrokenError"])
    assert site.verdict("/readyz")[0] == 503
    assert site.ask("/metrics")[0] == 200


def test_a_worker_whose_handler_fails_lives_and_is_ready(site: Site) -> None:
    """To start it anew would help nobody: what failed is in numbers, by actor and shard."""
    site.worker()
    site.client().send(Break(counter="a-customers-name"))
    until(lambda: site.value("magnetar_failures_total", actor="counters") == 2, "two failures")
    until(lambda: site.verdict("/readyz") == (200, []), "readiness")
    assert site.verdict("/healthz") == (200, [])
    keys = [site.value("magnetar_parked_keys", shard=f"counters/{each}", reason="retry") for each in (0, 1)]
    assert sorted(key or 0 for key in keys) == [0, 1]
    assert "a-customers-name" not in site.ask("/metrics")[1]


def test_a_worker_that_drains_is_not_ready_and_lives(site: Site) -> None:
    """Who asks meanwhile is sent elsewhere; who would kill it, is not."""
    worker = site.worker()
    until(lambda: worker.ready, "readiness")
    worker.draining = True
    assert site.verdict("/healthz") == (200, [])
    assert site.verdict("/readyz") == (503, ["the worker is draining"])
    worker.drain()
    assert site.verdict("/healthz") == (503, ["the loop has ended"])


def test_nothing_that_is_told_holds_a_key(site: Site) -> None:
    """Neither numbers nor verdicts."""
    site.worker()
    site.client().ask(Add(counter="a-customers-name"))
    assert not any("a-customers-name" in site.ask(path)[1] for path in ("/metrics", "/healthz", "/readyz"))
