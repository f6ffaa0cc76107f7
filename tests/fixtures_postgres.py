"""One real PostgreSQL for all tests of a process: the fixture `postgres_server`."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from magnetar.runtime.servers.errors import ServerError
from magnetar.runtime.servers.postgres import PostgresPlan, PostgresServer
from magnetar.runtime.servers.postgres_making import packaged_postgres


@pytest.fixture(scope="session")
def postgres_plan(tmp_path_factory: pytest.TempPathFactory) -> PostgresPlan:
    """How to start a server of one's own: take it with another `data`."""
    try:
        home, version = packaged_postgres()
        return PostgresPlan(home=home, data=tmp_path_factory.mktemp("postgres"), version=version)
    except ServerError as problem:
        pytest.skip(f"no PostgreSQL: {problem}")


@pytest.fixture(scope="session")
def postgres_server(postgres_plan: PostgresPlan) -> Generator[PostgresServer]:
    """A ready PostgreSQL for all tests that only use it: each takes a database of its own, none stops it."""
    server = PostgresServer(postgres_plan)
    try:
        server.start()
    except ServerError as problem:
        pytest.skip(f"no PostgreSQL: {problem}")
    yield server
    server.stop()
