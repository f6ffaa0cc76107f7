"""Where the ordinary consumer of `benchmarks.ordinary` keeps its tables: a SQLite file, or a PostgreSQL database."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, LiteralString, Protocol, TypeAlias, cast

import psycopg

from magnetar.runtime.servers.postgres import running_postgres

TABLES = """
CREATE TABLE inbox (id text PRIMARY KEY);
CREATE TABLE orders (id text PRIMARY KEY, version integer NOT NULL, body text NOT NULL);
CREATE TABLE outbox (number {number} PRIMARY KEY, key text NOT NULL, body {blob} NOT NULL);
"""


class Database(Protocol):
    """One connection."""

    def transaction(self) -> AbstractContextManager[object]:
        """Commit at the end of the block."""
        ...

    def rows(self, statement: LiteralString, *values: object) -> list[Any]:
        """Run a statement with `?` for values."""
        ...


class SqliteDatabase:
    """A file with `synchronous=FULL`."""

    def __init__(self, path: Path) -> None:
        """Make it."""
        self._connection = sqlite3.connect(path)
        settings = "PRAGMA journal_mode = wal; PRAGMA synchronous = full;"
        self._connection.executescript(settings + TABLES.format(number="integer", blob="blob"))

    def transaction(self) -> AbstractContextManager[object]:
        """As the protocol says."""
        return self._connection

    def rows(self, statement: LiteralString, *values: object) -> list[Any]:
        """As the protocol says."""
        return self._connection.execute(statement, cast("tuple[str, ...]", values)).fetchall()


class PostgresDatabase:
    """A database that psycopg reaches; statements that come often are prepared by it."""

    def __init__(self, url: str) -> None:
        """Make its tables."""
        self._connection = psycopg.connect(url)
        self._connection.execute(TABLES.format(number="bigserial", blob="bytea").encode())
        self._connection.commit()

    def transaction(self) -> AbstractContextManager[object]:
        """As the protocol says."""
        return self._connection.transaction()

    def rows(self, statement: LiteralString, *values: object) -> list[Any]:
        """As the protocol says."""
        cursor = self._connection.execute(statement.replace("?", "%s"), values)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Let go of the server."""
        self._connection.close()


Fresh: TypeAlias = Callable[[], AbstractContextManager[tuple[Database, str]]]


@contextmanager
def databases(kind: str, folder: Path) -> Generator[Fresh]:
    """Makes databases: the ordinary consumer's, and the URL of another one for the loop."""
    numbers = itertools.count()
    if kind == "sqlite":

        @contextmanager
        def fresh_files() -> Generator[tuple[Database, str]]:
            number = next(numbers)
            yield SqliteDatabase(folder / f"ordinary-{number}.db"), f"sqlite:///{folder}/loop-{number}.db"

        yield fresh_files
        return
    with running_postgres(folder / "postgres") as server, psycopg.connect(server.service_url, autocommit=True) as admin:
        base = server.service_url.rpartition("/")[0]

        @contextmanager
        def fresh_databases() -> Generator[tuple[Database, str]]:
            number = next(numbers)
            for name in ("ordinary", "loop"):
                admin.execute(f"CREATE DATABASE {name}_{number}".encode())
            database = PostgresDatabase(f"{base}/ordinary_{number}")
            yield database, f"{base}/loop_{number}"
            database.close()

        yield fresh_databases
