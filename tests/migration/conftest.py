"""Places of both kinds, and the code of a release."""

# The driver types a value as "anything SQLite can hold".
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import apsw
import psycopg
import pytest

from tests.migration.releases import RELEASES, Code, Release, present, unpacked
from tests.migration.story import Place, Story

if TYPE_CHECKING:
    from magnetar.runtime.servers.postgres import PostgresServer

PAIRS = [(release, store) for release in RELEASES for store in release.stores]


class SqlitePlace:
    """A file."""

    def __init__(self, path: Path) -> None:
        self.url = f"sqlite:///{path}"
        self._path = path

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """See `Place`."""
        with closing(apsw.Connection(str(self._path))) as connection:
            return list(connection.execute(statement))


class PostgresPlace:
    """A database of a server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """See `Place`."""
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []


@pytest.fixture(params=PAIRS, ids=lambda pair: f"{pair[0].version}-{pair[1]}")
def pair(request: pytest.FixtureRequest) -> tuple[Release, str]:
    """A release, and a kind of store that it knows."""
    return cast("tuple[Release, str]", request.param)


@pytest.fixture
def place(pair: tuple[Release, str], place_of: Callable[[str], Place]) -> Place:
    """Where there is no store yet."""
    return place_of(pair[1])


@pytest.fixture
def place_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Place]:
    """A place of a kind; PostgreSQL is started for those who want it."""

    def made(kind: str) -> Place:
        if kind == "sqlite":
            return SqlitePlace(tmp_path / "bank.db")
        return _database(cast("PostgresServer", request.getfixturevalue("postgres_server")), tmp_path.name)

    return made


def _database(server: PostgresServer, name: str) -> PostgresPlace:
    name = "".join(letter for letter in name.lower() if letter.isalnum())
    PostgresPlace(server.service_url).rows(f'CREATE DATABASE "{name}"')
    return PostgresPlace(f"{server.service_url.rpartition('/')[0]}/{name}")


@pytest.fixture
def story(place: Place) -> Story:
    """Nothing has happened yet."""
    return Story(place, count(1).__next__)


@pytest.fixture
def new() -> Code:
    """This work tree's code."""
    return present()


@pytest.fixture
def old(pair: tuple[Release, str], tmp_path: Path) -> Code:
    """The release's code."""
    return unpacked(pair[0], tmp_path / "released")
