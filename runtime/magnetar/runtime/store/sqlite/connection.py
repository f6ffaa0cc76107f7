"""One connection: the typed edge of the driver, and its transactions."""

# The driver types a value as "anything SQLite can hold"; what a statement returns is known to the statement alone.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import apsw

from magnetar.runtime.store.sqlite.failures import commit_failed, said_plainly

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

Values: TypeAlias = "Sequence[str | bytes | int | float | None]"
Rows: TypeAlias = "list[tuple[Any, ...]]"

READ = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
ASK = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI
WRITE = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI

STATEMENTS = 512
"""So many stay prepared: all that there are by name, and those of the application's tables.

To prepare one costs more than to run it. With fewer than are used in turn, one in ten had to be prepared anew. And
without the planner's stability guarantee, whatever compares a range, a list or a partial index with a value was planned
again for each other value: 40 µs to find no timer that is due, not 2. There are no statistics by which it could gain.
"""

_CLOSED = apsw.Connection(":memory:")
_CLOSED.close()


class Connection:
    """A connection to the database at `uri`; `patience` is the longest wait for a lock, in seconds.

    Its methods raise the driver's errors; the context managers turn them into the store's.
    """

    def __init__(self, uri: str, flags: int, patience: float) -> None:
        with said_plainly(f"opening {uri}"):
            self._driver = apsw.Connection(uri, flags=flags, statementcachesize=STATEMENTS)
            self._driver.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)  # plans look at no values, and so stay prepared
            self._driver.set_busy_timeout(round(patience * 1000))

    def rows(self, statement: str, values: Values = ()) -> Rows:
        """All rows that the statement returns."""
        return cast("Rows", self._driver.execute(statement, values).fetchall())

    def iterate(self, statement: str, values: Values = ()) -> Iterator[tuple[Any, ...]]:
        """The rows as they are read; a read transaction is open until the last one."""
        return cast("Iterator[tuple[Any, ...]]", self._driver.execute(statement, values))

    def run(self, statement: str, many: Sequence[Sequence[object]]) -> int:
        """Run the statement for each of the values; returns how many rows of the database it changed."""
        before = self._driver.total_changes()
        self._driver.executemany(statement, cast("Sequence[Values]", many))
        return self._driver.total_changes() - before

    @contextmanager
    def transaction(self, doing: str) -> Generator[None]:
        """A write transaction; rolled back when anything is raised inside, so that the connection stays usable."""
        with said_plainly(doing):
            self._driver.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._roll_back()
                raise
            try:
                self._driver.execute("COMMIT")
            except (apsw.Error, MemoryError) as error:
                self._roll_back()
                raise commit_failed(error, doing) from error

    @contextmanager
    def snapshot(self, doing: str) -> Generator[None]:
        """Several reads of one consistent state."""
        with said_plainly(doing):
            self._driver.execute("BEGIN")
            try:
                yield
            finally:
                self._roll_back()

    def image(self) -> bytes:
        """A copy of the whole database."""
        with said_plainly("copying the database"):
            return bytes(self._driver.serialize("main"))

    def restore(self, image: bytes) -> None:
        """Put a copy in place of the whole database."""
        with said_plainly("restoring the database"):
            copy = apsw.Connection(":memory:")
            copy.deserialize("main", image)
            with self._driver.backup("main", copy, "main") as backup:
                backup.step()
            copy.close()

    def _roll_back(self) -> None:
        """End the transaction if one is open: some errors have made SQLite end it already."""
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK")

    def passed_on(self) -> Connection:
        """Closed here, an open transaction lost; and open in other hands, with all the statements that it knows."""
        with said_plainly("passing a connection on"):
            self._roll_back()
        other = copy(self)
        self._driver = _CLOSED
        return other

    @property
    def is_open(self) -> bool:
        """Whether it was neither closed nor passed on."""
        return self._driver is not _CLOSED

    def close(self) -> None:
        """Close; an open transaction is lost. Closing twice is harmless."""
        with said_plainly("closing the database"):
            self._driver.close(force=True)
            self._driver = _CLOSED
