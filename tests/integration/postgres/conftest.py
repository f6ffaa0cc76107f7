"""A PostgreSQL that a test may freeze and kill, and a store on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import replace

import psycopg
import pytest

from magnetar.runtime.servers.postgres import PostgresPlan, PostgresServer
from magnetar.runtime.store.postgres import PostgresPlace, PostgresStore
from tests.contract.store.harness import ACTOR, LEDGER, PARTITIONS

PATIENCE = 3.0
SLACK = 2.0
"""Seconds that a busy machine may take on top."""


@pytest.fixture(scope="module")
def server(postgres_plan: PostgresPlan, tmp_path_factory: pytest.TempPathFactory) -> Generator[PostgresServer]:
    """Each test leaves it running."""
    with PostgresServer(replace(postgres_plan, data=tmp_path_factory.mktemp("faulty"))) as server:
        yield server


@pytest.fixture
def place(server: PostgresServer) -> Generator[PostgresPlace]:
    """An empty database."""
    yield PostgresPlace(server.service_url, PATIENCE)
    with closing(psycopg.connect(server.service_url, autocommit=True)) as connection:
        connection.execute("DROP OWNED BY magnetar")
        connection.execute("CREATE SCHEMA IF NOT EXISTS public")


@pytest.fixture
def store(place: PostgresPlace) -> Generator[PostgresStore]:
    """A store that is prepared."""
    store = opened(place)
    yield store
    store.close()


def opened(place: PostgresPlace) -> PostgresStore:
    """Another connection to it, prepared."""
    store = place.open()
    store.prepare({ACTOR: PARTITIONS}, [LEDGER])
    return store


@contextmanager
def paused(server: PostgresServer) -> Generator[None]:
    """The whole server frozen for the block."""
    server.pause()
    try:
        yield
    finally:
        server.resume()


def seconds_of(act: Callable[[], object]) -> float:
    """How long it took."""
    start = time.monotonic()
    act()
    return time.monotonic() - start
