"""The commands of production on a real broker: topics, worker, send, key; and how a worker ends."""

from __future__ import annotations

import json
import signal
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.cli.program import Program, answer, wait_until
from tests.acceptance.cli.shop_source import broken, shop

if TYPE_CHECKING:
    from magnetar.runtime.servers.pulsar import PulsarServer

STORE = "sqlite:///shop.db"


@dataclass(frozen=True)
class Shop:
    """An app of its own name, so of its own namespace, on the real broker."""

    folder: Path
    service: str
    admin: str

    def run(self, *arguments: str) -> tuple[int, str]:
        """A command that ends by itself."""
        return answer(self.folder, *arguments)

    def worker(self, *arguments: str) -> Program:
        """A worker, which owns everything once it says so."""
        places = ("--bus", self.service, "--admin", self.admin, "--store", STORE)
        return Program(self.folder, "worker", "shop:app", *places, *arguments)

    def ask(self, json_: str, *arguments: str) -> tuple[int, str]:
        """Send a message and wait for what became of it."""
        place = ("--bus", self.service, "--store", STORE, "--timeout", "40")
        return self.run("send", "shop:app", "Place", json_, "--ask", "--json", *place, *arguments)


@pytest.fixture
def new_shop(pulsar_server: PulsarServer, tmp_path: Path) -> Callable[[str], Shop]:
    """Makes an app from its source, and its topics."""

    def made(source: str) -> Shop:
        (tmp_path / "shop.py").write_text(source.replace('"shop"', f'"shop{uuid.uuid4().hex[:8]}"'), encoding="utf-8")
        address = pulsar_server
        return Shop(tmp_path, address.service_url, address.admin_url)

    return made


@pytest.fixture
def provisioned(new_shop: Callable[[str], Shop]) -> Callable[[str], Shop]:
    """The same, with its topics applied."""

    def made(source: str) -> Shop:
        shop = new_shop(source)
        assert shop.run("topics", "apply", "shop:app", "--admin", shop.admin)[0] == 0
        return shop

    return made


def test_topics_are_planned_applied_and_then_there_is_nothing_to_do(new_shop: Callable[[str], Shop]) -> None:
    """The plan names every topic; after applying it, a new plan is empty."""
    app = new_shop(shop())
    status, out = app.run("topics", "plan", "shop:app", "--admin", app.admin, "--json")
    steps = json.loads(out)["steps"]
    assert status == 0
    assert {"create namespace", "create topic", "create subscription", "add schema"} <= {
        step["action"] for step in steps
    }
    assert app.run("topics", "apply", "shop:app", "--admin", app.admin)[0] == 0
    assert app.run("topics", "plan", "shop:app", "--admin", app.admin, "--json") == (0, '{"steps":[]}\n')
    assert "nothing to do" in app.run("topics", "plan", "shop:app", "--admin", app.admin)[1]


def test_what_cannot_be_changed_is_a_conflict(provisioned: Callable[[str], Shop]) -> None:
    """Another number of partitions: plan and apply say no, with exit status 1, and nothing is done."""
    app = provisioned(shop())
    source = (app.folder / "shop.py").read_text(encoding="utf-8")
    other = source.replace('Actor("orders", Order)', 'Actor("orders", Order, policy=Policy(partitions=8))')
    (app.folder / "shop.py").write_text(other.replace("import Actor,", "import Policy, Actor,"), encoding="utf-8")
    for command in ("plan", "apply"):
        status, out = app.run("topics", command, "shop:app", "--admin", app.admin, "--json")
        assert status == 1
        assert any(step["conflict"] for step in json.loads(out)["steps"])


def test_a_message_is_sent_applied_answered_and_told(provisioned: Callable[[str], Shop]) -> None:
    """The whole way through four commands; the same id twice is one message, with one answer."""
    app = provisioned(shop())
    with app.worker() as worker:
        worker.said("drains and stops")  # the store is there from now on
        answers = [app.ask('{"order_id": "o-1"}', "--id", "first") for _ in range(2)]
        assert [status for status, _ in answers] == [0, 0]
        first, second = (json.loads(out) for _, out in answers)
        assert first == second
        assert (first["key"], first["version"], first["state"]) == ("o-1", 1, {"status": "placed", "placed": 1})
        told = json.loads(app.run("key", "timeline", "orders/o-1", "--store", STORE, "--json")[1])["messages"]
        assert [message["message_id"] for message in told] == [first["message_id"]]
        report = json.loads(app.run("key", "show", "orders/o-1", "--store", STORE, "--json")[1])
        assert report["state"]["value"]["placed"] == 1
        assert report["shard"]["owner"] != ""
        worker.signal(signal.SIGTERM)
        assert worker.status() == 0
    report = json.loads(app.run("key", "show", "orders/o-1", "--store", STORE, "--json")[1])
    assert report["shard"]["owner"] == ""


def test_shards_and_workers_tell_who_has_what_and_what_waits(provisioned: Callable[[str], Shop]) -> None:
    """While a worker is there, when it was killed and messages wait for it, and when it has left in order."""
    app = provisioned(shop())
    shards = ("shards", "shop:app", "--store", STORE, "--admin", app.admin, "--json")
    workers = ("workers", "--store", STORE, "--json")
    with app.worker() as worker:
        worker.said("16 shards in all")
        status, out = app.run(*workers)
        [found] = json.loads(out)["workers"]
        assert (status, found["alive"], len(found["shards"])) == (0, True, 16)
        status, out = app.run(*shards)
        assert status == 0
        assert {(shard["owner"], shard["lag"]) for shard in json.loads(out)["shards"]} == {(found["worker"], 0)}
        worker.signal(signal.SIGKILL)
        worker.status()
    for number in (1, 2, 3):
        message = ("Place", f'{{"order_id": "o-{number}"}}')
        assert app.run("send", "shop:app", *message, "--bus", app.service)[0] == 0
    wait_until(lambda: app.run(*workers)[0] == 1)
    status, out = app.run(*shards)
    waiting = [shard["oldest"] for shard in json.loads(out)["shards"] if shard["lag"]]
    assert (status, sum(shard["lag"] for shard in json.loads(out)["shards"])) == (1, 3)
    assert all(0 <= oldest < 120 for oldest in waiting)
    with app.worker() as worker:
        worker.said("16 shards in all")
        wait_until(lambda: not any(shard["lag"] for shard in json.loads(app.run(*shards)[1])["shards"]))
        worker.signal(signal.SIGTERM)
        assert worker.status() == 0
    status, out = app.run(*shards)
    assert status == 1
    assert {(shard["owner"], shard["clean"]) for shard in json.loads(out)["shards"]} == {("", True)}


def test_the_doctor_finds_what_is_broken(provisioned: Callable[[str], Shop]) -> None:
    """Exit status 1 for the one bookie of this broker; retention too short for a backup is one danger more."""
    app = provisioned(shop())
    doctor = ("doctor", "shop:app", "--bus", app.service, "--admin", app.admin, "--store", STORE)
    with app.worker() as worker:
        worker.said("16 shards in all")
        assert [finding["check"] for finding in _dangers(app.run(*doctor, "--json"))] == ["quorum"]
        older = _dangers(app.run(*doctor, "--json", "--backup-age", "1000"))
        assert [finding["check"] for finding in older] == ["quorum", "retention"]
        assert older[1]["change"][0].startswith("POST /admin/v2/namespaces/public/shop")
        status, shown = app.run(*doctor)
        assert (status, "a single bookie" in shown, "1 danger" in shown) == (1, True, True)


def _dangers(ran: tuple[int, str]) -> list[dict[str, Any]]:
    status, out = ran
    told = json.loads(out)
    found = [finding for finding in told["findings"] if finding["severity"] == "danger"]
    assert (status, told["counts"]["danger"]) == (1 if found else 0, len(found))
    return found


def test_a_second_signal_ends_a_draining_worker_at_once(provisioned: Callable[[str], Shop]) -> None:
    """It does not wait for the handler that it is in; what it had in hand is applied by the next worker."""
    app = provisioned(shop())
    (app.folder / "hold").touch()
    with app.worker() as worker:
        message = ("Place", '{"order_id": "o-1", "waits": true}')
        assert app.run("send", "shop:app", *message, "--bus", app.service)[0] == 0
        wait_until((app.folder / "inside").exists)
        worker.signal(signal.SIGTERM)
        worker.said("draining")
        worker.signal(signal.SIGTERM)
        assert worker.status() == 130
    assert app.run("key", "show", "orders/o-1", "--store", STORE)[0] == 1
    (app.folder / "hold").unlink()
    with app.worker():
        assert json.loads(app.ask('{"order_id": "o-1"}')[1])["version"] == 2


def test_a_handler_that_raises_parks_its_key_and_stops_nobody(provisioned: Callable[[str], Shop]) -> None:
    """Its line is in the log, the key says what it waits for, and the worker leaves in order when it is told to."""
    app = provisioned(broken())
    with app.worker() as worker:
        assert app.run("send", "shop:app", "Place", '{"order_id": "o-1"}', "--bus", app.service)[0] == 0
        worker.said("tried again at 20")
        assert "nothing_like_it" in worker.stderr
        status, out = app.run("key", "show", "orders/o-1", "--store", STORE, "--json")
        told = json.loads(out)
        assert (status, told["state"], told["parked"]["reason"], told["parked"]["waiting"]) == (0, None, "retry", 1)
        worker.signal(signal.SIGTERM)
        assert worker.status() == 0


def test_a_broker_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """Exit status 3 and what to do, for each command that needs one."""
    (tmp_path / "shop.py").write_text(shop(), encoding="utf-8")
    place = ("--bus", "pulsar://127.0.0.1:9", "--timeout", "1")
    assert answer(tmp_path, "send", "shop:app", "Place", '{"order_id": "o-1"}', *place)[0] == 3
    assert answer(tmp_path, "topics", "plan", "shop:app", "--admin", "http://127.0.0.1:9")[0] == 3
    said = (tmp_path / "stderr.txt").read_text(encoding="utf-8")
    assert "magnetar up" in said
    assert "Traceback" not in said
