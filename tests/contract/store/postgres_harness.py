"""PostgreSQL, plugged into the contract suite: one server for the run, a database of its own for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from uuid import uuid4

import psycopg
import pytest

from magnetar.runtime.store.postgres import PostgresPlace
from magnetar.runtime.store.postgres.connection import Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.runtime.servers.postgres import PostgresServer
    from magnetar.runtime.store.port import ShardChanges, Store
    from magnetar.runtime.store.postgres import PostgresStore, PostgresViews
    from magnetar.runtime.store.postgres.connection import Rows
    from magnetar.runtime.store.postgres.held import PostgresHeld
    from magnetar.runtime.store.postgres.requests import PostgresRequests
    from tests.contract.store.harness import StoreHarness

PATIENCE = 20.0
"""Seconds to wait for an answer: as long as a test may take on a busy machine."""


class PostgresHarness:
    """A database of its own for each test."""

    def __init__(self, place: PostgresPlace) -> None:
        self.place = place
        self._opened: list[PostgresStore | PostgresViews | PostgresRequests | PostgresHeld] = []

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

    def requests(self) -> PostgresRequests:
        """As the harness says."""
        requests = self.place.requests()
        self._opened.append(requests)
        return requests

    def held(self) -> PostgresHeld:
        """As the harness says."""
        held = self.place.held()
        self._opened.append(held)
        return held

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


# Rows are deleted, because making a database, or cutting off its tables, makes and removes hundreds of files.
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
    PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid();
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'app\\_%' LOOP
        EXECUTE format('DROP TABLE %I', name);
    END LOOP;
    FOR name IN SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
        AND relnamespace = 'public'::regnamespace AND relname <> 'migrations' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
END $$
"""


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=20) as connection:
        connection.execute(statement.encode())


class PostgresDatabases:
    """Databases on a server for the whole run: migrated once, and emptied between two tests."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._free: list[str] = []
        self._used: list[str] = []

    def new(self) -> PostgresPlace:
        """An empty store."""
        url = self._free.pop() if self._free else self.create()
        self._used.append(url)
        return PostgresPlace(url, PATIENCE)

    def empty_all(self) -> None:
        """Take back what was given out, and close whoever is still on it."""
        while self._used:
            _run(self._used[-1], _EMPTY)
            self._free.append(self._used.pop())

    def create(self) -> str:
        """The address of one more database, migrated and empty."""
        name = f"contract_{uuid4().hex}"  # a run may have several of these objects
        _run(self._server.service_url, f"CREATE DATABASE {name}")
        url = f"{self._server.service_url.rpartition('/')[0]}/{name}"
        PostgresPlace(url, PATIENCE).open().close()
        return url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> PostgresDatabases:
    """Where databases come from."""
    return PostgresDatabases(postgres_server)


@pytest.fixture
def postgres_databases(postgres_template: PostgresDatabases) -> Iterator[PostgresDatabases]:
    """Databases of the test's own."""
    yield postgres_template
    postgres_template.empty_all()


@pytest.fixture
def postgres_harness(postgres_databases: PostgresDatabases) -> Iterator[StoreHarness]:
    """PostgreSQL."""
    harness = PostgresHarness(postgres_databases.new())
    yield harness
    harness.close()
