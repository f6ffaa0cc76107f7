"""Where the data is: a file, or the memory of this process. Both outlive the stores opened on them."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

from magnetar.runtime.store.sqlite.database import Setup, open_writing
from magnetar.runtime.store.sqlite.held import SqliteHeld
from magnetar.runtime.store.sqlite.requests import SqliteRequests
from magnetar.runtime.store.sqlite.store import SqliteStore
from magnetar.runtime.store.sqlite.views import SqliteViews

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.sqlite.connection import Connection


_FULL = 2  # of `PRAGMA synchronous`


def wall_clock() -> Instant:
    """The system's clock."""
    return time.time_ns() // 1000


class SqliteFile:
    """A database file; `patience` is the longest wait for a lock, in seconds."""

    shared = False

    def __init__(self, path: Path, clock: Callable[[], Instant] = wall_clock, patience: float = 2.0) -> None:
        self.path = path
        self.setup = Setup(f"file:{quote(str(path.absolute()))}", "wal", patience)
        self.now = clock

    def open(self) -> SqliteStore:
        """A store on this file, made and migrated if need be. `StoreUnavailable`, `StoreMismatch`."""
        return SqliteStore(self)

    def views(self) -> SqliteViews:
        """Operators' queries on this file, from any process. `StoreUnavailable` without a store."""
        return SqliteViews(self)

    def requests(self) -> SqliteRequests:
        """What tools ask of the shards' owners. `StoreUnavailable` without a store."""
        return SqliteRequests(self)

    def held(self) -> SqliteHeld:
        """All that code must be able to read. `StoreUnavailable` without a store."""
        return SqliteHeld(self.setup)

    def connect(self) -> Connection:
        """See `Database`."""
        return open_writing(self.setup)

    def disconnect(self, connection: Connection) -> None:
        """See `Database`."""
        connection.close()


class SqliteMemory:
    """A database in this process's memory: it lives until `close`, whatever becomes of the stores opened on it.

    A store that is dropped (a crash) loses its open transaction and nothing else, as with a file.
    """

    shared = False

    def __init__(self, clock: Callable[[], Instant] = wall_clock, patience: float = 2.0) -> None:
        self.setup = Setup(f"file:/{uuid.uuid4().hex}?vfs=memdb", "memory", patience)
        self.now = clock
        self._anchor = open_writing(self.setup)  # while one connection is open, the data stays

    def open(self) -> SqliteStore:
        """A store on this memory."""
        return SqliteStore(self)

    def views(self) -> SqliteViews:
        """Operators' queries on this memory."""
        return SqliteViews(self)

    def requests(self) -> SqliteRequests:
        """What tools ask of the shards' owners. `StoreUnavailable` without a store."""
        return SqliteRequests(self)

    def held(self) -> SqliteHeld:
        """All that code must be able to read. `StoreUnavailable` without a store."""
        return SqliteHeld(self.setup)

    def connect(self) -> Connection:
        """See `Database`."""
        return open_writing(self.setup)

    def disconnect(self, connection: Connection) -> None:
        """See `Database`."""
        connection.close()

    @property
    def is_durable(self) -> bool:
        """Whether each commit would be on the disk when it returns, were this a file."""
        [(level,)] = self._anchor.rows("PRAGMA synchronous")
        return bool(level >= _FULL)

    def image(self) -> bytes:
        """A copy of the data, as a backup."""
        return self._anchor.image()

    def restore(self, image: bytes) -> None:
        """Put a copy in place of the data. Nobody may be using it meanwhile."""
        self._anchor.restore(image)

    def close(self) -> None:
        """Let the data go once the last store on it is closed."""
        self._anchor.close()
