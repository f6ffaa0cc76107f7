"""PostgreSQL, plugged into the contract suite: one server for the run, a database of its own for each test."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, cast

import psycopg
import pytest
from psycopg import sql

from magnetar.runtime.store.postgres import PostgresPlace
from magnetar.runtime.store.postgres.connection import Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import LiteralString

    from magnetar.runtime.servers import PostgresServer
    from magnetar.runtime.store.port import ShardChanges, Store
    from magnetar.runtime.store.postgres import PostgresStore, PostgresViews
    from magnetar.runtime.store.postgres.connection import Rows
    from tests.contract.store.harness import StoreHarness

PATIENCE = 20.0
"""Seconds to wait for an answer: as long as a test may take on a busy machine."""
TEMPLATE = "contract_template"
_numbers = itertools.count(1)


class PostgresHarness:
    """A database of its own for each test."""

    def __init__(self, place: PostgresPlace) -> None:
        self.place = place
        self._opened: list[PostgresStore | PostgresViews] = []

    def open(self) -> PostgresStore:
        """As the harness says."""
        store = self.place.open()
        self._opened.append(store)
        return store

    def views(self) -> PostgresViews:
        """As the harness says."""
        views = self.place.views()
        self._opened.append(views)
        return views

    def die(self, store: Store) -> None:
        """As the harness says: the kernel closes what an ended process had open."""
        store.close()

    def die_before_commit(self, store: Store, group: list[ShardChanges]) -> None:
        """As the harness says."""
        session = cast("PostgresStore", store)._session

        def cut_short(_doing: str, calls: Sequence[Call]) -> list[Rows]:
            connection = session._connection
            assert connection is not None
            answers = connection.exchange([Call("BEGIN"), *calls], session._deadline())
            connection.close()
            return answers

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session, "write", cut_short)
            store.commit(group)

    def close(self) -> None:
        """Close what the test opened."""
        for each in self._opened:
            each.close()


def _run(server: PostgresServer, statement: LiteralString, *names: str) -> None:
    composed = sql.SQL(statement).format(*map(sql.Identifier, names))
    with psycopg.connect(server.service_url, autocommit=True, connect_timeout=20) as connection:
        connection.execute(composed)


def _url(server: PostgresServer, database: str) -> str:
    return f"{server.service_url.rpartition('/')[0]}/{database}"


class PostgresDatabases:
    """Databases made from one that is migrated, on a server for the whole run."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._made: list[str] = []
        _run(server, "DROP DATABASE IF EXISTS {}", TEMPLATE)
        _run(server, "CREATE DATABASE {}", TEMPLATE)
        PostgresPlace(_url(server, TEMPLATE), PATIENCE).open().close()

    def new(self, patience: float = PATIENCE) -> PostgresPlace:
        """An empty store."""
        name = f"contract_{next(_numbers)}"
        _run(self._server, "CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log", name, TEMPLATE)
        self._made.append(name)
        return PostgresPlace(_url(self._server, name), patience)

    def drop_all(self) -> None:
        """Drop what was made."""
        while self._made:
            _run(self._server, "DROP DATABASE {} WITH (FORCE)", self._made.pop())


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> PostgresDatabases:
    """Where databases come from."""
    return PostgresDatabases(postgres_server)


@pytest.fixture
def postgres_databases(postgres_template: PostgresDatabases) -> Iterator[PostgresDatabases]:
    """Databases of the test's own."""
    yield postgres_template
    postgres_template.drop_all()


@pytest.fixture
def postgres_harness(postgres_databases: PostgresDatabases) -> Iterator[StoreHarness]:
    """PostgreSQL."""
    harness = PostgresHarness(postgres_databases.new())
    yield harness
    harness.close()
