"""A shop with its broker, its database and its workers, and what a test does to them."""

from __future__ import annotations

import subprocess
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import psycopg

from magnetar.runtime import App, Client
from magnetar.runtime.compose import bus_place, store_place
from magnetar.runtime.compose.topics import Cluster
from tests.acceptance.cli.program import Program, wait_until
from tests.acceptance.pages import ROOT
from tests.acceptance.workers.shop import orders, stock

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from magnetar.runtime.servers import PostgresPlan, PostgresServer, PulsarServer
    from magnetar.runtime.store.views import Views

TARGET = "tests.acceptance.workers.shop:app"
SHARDS = 8


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
    def client(self, timeout: float = 60.0) -> Generator[Client]:
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

    def owners(self) -> dict[str, str]:
        """Shard → who owns it; nobody has no entry."""
        with self.views() as views:
            return {row.shard: row.owner for row in views.shards() if row.owner}

    def wait_for_owners(self, *workers: Program) -> None:
        """Until these own every shard, and each of them some."""
        names = {str(worker.pid) for worker in workers}

        def shared() -> bool:
            owners = self.owners()
            return len(owners) == SHARDS and {owner.rpartition(":")[2] for owner in owners.values()} == names

        wait_until(shared)

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
