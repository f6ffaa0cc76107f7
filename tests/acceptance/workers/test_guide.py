"""The guide on two workers: its commands and files do what it says, on one broker in place of a cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from magnetar.runtime.servers import ports
from tests.acceptance.cli.program import Program, answer
from tests.acceptance.pages import files_of, page, written

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.acceptance.workers.plant import Plant

SHARDS, APP = 16, "web:app"


class FirstHour:
    """The reader's folder and terminals."""

    def __init__(self, plant: Plant) -> None:
        """`plant` has the broker and the database; the app is the guide's, under a name of this test's own."""
        self.plant = plant
        self.folder = plant.folder
        name = f"orders{uuid.uuid4().hex[:8]}"
        files = {
            "orders.py": files_of(page("docs/guide/first-actor.md"))["orders.py"],
            **files_of(page("docs/guide/two-workers.md")),
        }
        assert files["web.py"].count('App("orders", orders)') == 1
        files["web.py"] = files["web.py"].replace('App("orders", orders)', f'App("{name}", orders)')
        written(self.folder, files)
        self.environment = {
            "MAGNETAR_BUS": plant.broker.service_url,
            "MAGNETAR_ADMIN": plant.broker.admin_url,
            "MAGNETAR_STORE": plant.store,
        }
        self.port = ports.any_free("the guide's web server")

    def run(self, *arguments: str) -> dict[str, Any]:
        """A command with --json that ends well."""
        status, out = answer(self.folder, *arguments, "--json", environment=self.environment)
        assert status == 0, self.plant.said
        found: dict[str, Any] = json.loads(out)
        return found

    @contextmanager
    def web(self) -> Generator[None]:
        """The web server."""
        environment = {**os.environ, **self.environment, "PYTHONPATH": str(self.folder)}
        command = [sys.executable, "web.py", str(self.port)]
        with subprocess.Popen(command, cwd=self.folder, env=environment, stderr=subprocess.DEVNULL) as server:
            try:
                yield
            finally:
                server.kill()

    def click(self, order: str, click: str) -> dict[str, object]:
        """As a browser: 503, or nobody there yet, and it asks again with the same click."""
        found: dict[str, object] = {}
        headers = {"Idempotency-Key": click}

        def answered(_: object) -> bool:
            request = Request(f"http://127.0.0.1:{self.port}/orders/{order}", method="POST", headers=headers)
            try:
                with urlopen(request, timeout=60) as response:
                    found.update(json.load(response))
            except HTTPError as problem:
                problem.close()
                if problem.code != HTTPStatus.SERVICE_UNAVAILABLE:
                    raise
                return False
            except URLError:
                return False
            return True

        self.plant.wait_for(f"answer to {click}", answered)
        return found

    def owners(self) -> set[int]:
        """The processes that own shards, when all shards are owned; else nobody."""
        with self.plant.views() as views:
            owners = [process_of(row.owner) for row in views.shards() if row.owner]
        return set(owners) if len(owners) == SHARDS else set()


def process_of(owner: str) -> int:
    """Its pid, of `host:pid#number`."""
    return int(owner.rpartition(":")[2].partition("#")[0])


@pytest.fixture
def hour(plant: Plant) -> FirstHour:
    """With its topics."""
    hour = FirstHour(plant)
    hour.run("topics", "apply", APP)
    return hour


@pytest.mark.timeout(500)
def test_a_worker_of_the_guide_dies_and_no_customer_notices(hour: FirstHour) -> None:
    """Each click has its one answer, before and after, and two workers share all shards again."""
    placed = {"status": "placed", "version": 1}
    with Program(hour.folder, "worker", APP, "--processes", "2", environment=hour.environment) as workers, hour.web():
        hour.plant.wait_for("two workers", lambda _: len(hour.owners()) == 2)
        assert hour.click("o-1", "click-1") == {"order": "o-1", **placed}
        dead = process_of(hour.run("key", "show", "orders/o-1")["shard"]["owner"])
        os.kill(dead, signal.SIGKILL)
        assert hour.click("o-1", "click-1") == {"order": "o-1", **placed}
        assert hour.click("o-1", "click-2") == {"order": "o-1", "status": "placed", "version": 2}
        for number in range(10, 20):
            assert hour.click(f"o-{number}", f"click-{number}") == {"order": f"o-{number}", **placed}
        hour.plant.wait_for("two workers again", lambda _: len(hour.owners() - {dead}) == 2)
        assert [worker["alive"] for worker in hour.run("workers")["workers"]].count(True) == 2
        workers.signal(signal.SIGTERM)
        assert workers.status() == 0
