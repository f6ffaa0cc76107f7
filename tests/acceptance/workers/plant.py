"""A shop with its broker, its database and its workers, and what a test does to them."""

from __future__ import annotations

import subprocess
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import psycopg

from magnetar.runtime import App, Client
from magnetar.runtime.compose.places import bus_place, store_place
from magnetar.runtime.compose.topics import Cluster
from tests.acceptance.cli.program import Program
from tests.acceptance.pages import ROOT
from tests.acceptance.workers.shop import orders, stock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from magnetar.runtime.servers.postgres import PostgresPlan, PostgresServer
    from magnetar.runtime.servers.pulsar import PulsarServer
    from magnetar.runtime.store.views import Views

TARGET = "tests.acceptance.workers.shop:app"
SHARDS = 8
PATIENCE = 150.0


@dataclass
class Plant:
    """One app of a name of its own: a namespace on the broker, a database on the server."""

    folder: Path
    broker: PulsarServer
    server: PostgresServer
    home: Path
    name: str = field(default_factory=lambda: f"shop{uuid.uuid4().hex[:8]}")
    _numbers: count[int] = field(default_factory=lambda: count(1))

    @property
    def store(self) -> str:
        """The database's URL."""
        return f"{self.server.service_url.rpartition('/')[0]}/{self.name}"

    def provision(self) -> None:
        """Topics and an empty store."""
        with Cluster(self.broker.admin_url, self.app.wire()) as cluster:
            cluster.apply()
        self._tell(f"CREATE DATABASE {self.name}")
        store_place(self.store).open().close()

    @property
    def app(self) -> App:
        """As the workers know it."""
        return App(self.name, orders, stock)

    def worker(self, *arguments: str) -> Program:
        """Start one; its folder, and so its stderr, is shared by all of them."""
        places = ("--bus", self.broker.service_url, "--store", self.store)
        return Program(self.folder, "worker", TARGET, *places, *arguments, environment=self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """What commands of this app need."""
        return {
            "SHOP_NAME": self.name,
            "PYTHONPATH": str(ROOT),
            "MAGNETAR_ADMIN": self.broker.admin_url,
            "MAGNETAR_HANDLER_DEADLINE": "120",
        }

    @contextmanager
    def client(self, timeout: float = PATIENCE) -> Generator[Client]:
        """A web handler's, in this process."""
        bus = bus_place(self.broker.service_url, self.name).connect("web")
        with self.views() as views:
            client = Client(self.app.wire(), bus, views, timeout=timeout)
            try:
                yield client
            finally:
                client.close()
                bus.close()

    @contextmanager
    def views(self) -> Generator[Views]:
        """A reader."""
        views = store_place(self.store).views()
        try:
            yield views
        finally:
            views.close()

    def wait_for_owners(self, *workers: Program) -> None:
        """Until these own every shard, and each of them some."""
        names = {str(worker.pid) for worker in workers}

        def shared(views: Views) -> bool:
            owners = [row.owner.rpartition(":")[2] for row in views.shards() if row.owner]
            return len(owners) == SHARDS and set(owners) == names

        self.wait_for(f"shards of {names}", shared)

    def wait_for(self, what: str, there: Callable[[Views], bool]) -> None:
        """Until the store shows it, for as long as a busy machine may need: two workers start, or take over."""
        until, pause = time.monotonic() + PATIENCE, threading.Event()
        with self.views() as views:
            while not there(views):
                assert time.monotonic() < until, f"no {what} within {PATIENCE} s: {views.shards()}\n{self.said}"
                pause.wait(0.1)

    @property
    def said(self) -> str:
        """All that workers and commands have said on stderr."""
        return (self.folder / "stderr.txt").read_text(encoding="utf-8")

    def back_up(self) -> Path:
        """What an operator's job does every night, while the workers work."""
        path = self.folder / f"backup-{next(self._numbers)}"
        self._run("pg_dump", "--format=custom", "--file", str(path), self.name)
        return path

    def restore(self, backup: Path) -> None:
        """Put the copy in place of the database."""
        self._tell(f"DROP DATABASE {self.name} WITH (FORCE)")
        self._tell(f"CREATE DATABASE {self.name}")
        self._run("pg_restore", "--exit-on-error", "--dbname", self.name, str(backup))

    def _run(self, program: str, *arguments: str) -> None:
        address = self.server.address
        place = ("--host", address.host, "--port", str(address.port), "--username", "magnetar", "--no-password")
        command = [str(self.home / "bin" / program), *place, *arguments]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
        assert done.returncode == 0, done.stderr

    def _tell(self, statement: str) -> None:
        with psycopg.connect(self.server.service_url, autocommit=True, connect_timeout=20) as connection:
            connection.execute(statement.encode())


def plant_of(folder: Path, broker: PulsarServer, server: PostgresServer, plan: PostgresPlan) -> Plant:
    """Provisioned, without workers."""
    plant = Plant(folder, broker, server, plan.home)
    plant.provision()
    return plant
