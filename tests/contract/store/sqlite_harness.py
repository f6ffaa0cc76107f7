"""SQLite, in a file and in memory, plugged into the contract suite."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pytest

from magnetar.runtime.store.sqlite import SqliteFile, SqliteMemory

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from magnetar.runtime.store.port import ShardChanges, Store
    from magnetar.runtime.store.sqlite import SqliteStore, SqliteViews
    from magnetar.runtime.store.sqlite.held import SqliteHeld
    from magnetar.runtime.store.sqlite.requests import SqliteRequests
    from tests.contract.store.harness import StoreHarness

PATIENCE = 10.0
"""Seconds to wait for a lock: as long as a test may take on a busy machine."""


class SqliteHarness:
    """A database of its own for each test."""

    def __init__(self, database: SqliteFile | SqliteMemory) -> None:
        self.database = database
        self._opened: list[SqliteStore | SqliteViews | SqliteRequests | SqliteHeld] = []

    def open(self) -> SqliteStore:
        """As the harness says."""
        store = self.database.open()
        self._opened.append(store)
        return store

    def views(self) -> SqliteViews:
        """As the harness says."""
        views = self.database.views()
        self._opened.append(views)
        return views

    def requests(self) -> SqliteRequests:
        """As the harness says."""
        requests = self.database.requests()
        self._opened.append(requests)
        return requests

    def held(self) -> SqliteHeld:
        """As the harness says."""
        held = self.database.held()
        self._opened.append(held)
        return held

    def die(self, store: Store) -> None:
        """As the harness says: SQLite forgets what an ended process had open, as it does here."""
        store.close()

    def die_before_commit(self, store: Store, group: list[ShardChanges]) -> None:
        """As the harness says."""
        connection = cast("SqliteStore", store)._connection

        @contextmanager
        def cut_short(_doing: str) -> Generator[None]:
            connection.rows("BEGIN IMMEDIATE")
            yield
            assert connection.rows("SELECT total_changes()") > [(0,)]
            connection.close()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(connection, "transaction", cut_short)
            store.commit(group)

    def close(self) -> None:
        """Close what the test opened."""
        for each in self._opened:
            each.close()


@pytest.fixture
def sqlite_file_harness(tmp_path: Path) -> Iterator[StoreHarness]:
    """SQLite in a file."""
    harness = SqliteHarness(SqliteFile(tmp_path / "magnetar.db", patience=PATIENCE))
    yield harness
    harness.close()


@pytest.fixture
def sqlite_memory_harness() -> Iterator[StoreHarness]:
    """SQLite in memory."""
    memory = SqliteMemory(patience=PATIENCE)
    harness = SqliteHarness(memory)
    yield harness
    harness.close()
    memory.close()
