"""What SQLite says, in the words of the store port.

The line that matters is the COMMIT statement. Before it nothing is durable, whatever failed, because frames without
a commit mark are ignored when the log is read again. In it a failed write or sync leaves open whether the commit
mark reached the disk: SQLite takes the transaction back in memory, yet a crash right after may bring it to light.
That is `CommitUnknown`, and R8 settles it: the next fenced write either finds it or overwrites it for good.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import apsw

from magnetar.runtime.store.port import CommitRejected, CommitUnknown, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType

BUSY = (apsw.BusyError, apsw.LockedError)
_UNAVAILABLE = (
    *BUSY,
    apsw.CantOpenError,
    apsw.ConnectionClosedError,
    apsw.FullError,
    apsw.IOError,
    apsw.InterruptError,
    apsw.NoMemError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.ReadOnlyError,
    MemoryError,
)
_CONTENT = (
    apsw.BindingsError,  # too few or too many values
    apsw.ConstraintError,
    apsw.MismatchError,
    apsw.TooBigError,
    OverflowError,  # an integer beyond 64 bits
    TypeError,  # a value of a type that no column can hold
    UnicodeEncodeError,  # half a surrogate pair is no text
)
_TAKEN = (apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_UNIQUE)
_CAUGHT = (apsw.Error, MemoryError)


class said_plainly:  # noqa: N801 - used as a statement
    """Raise what fails inside as a `StoreError`; `doing` says of which operation.

    Every call of the store is in one; as a generator it would cost three times as much.
    """

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, _CAUGHT):
            raise translated(error, self._doing) from error


@contextmanager
def content_refused(doing: str) -> Generator[None]:
    """Inside a commit: what the database refuses for its content is `CommitRejected` (R9)."""
    try:
        yield
    except _CONTENT as error:
        message = f"{doing}: the store refuses these rows: {type(error).__name__}: {error}"
        raise CommitRejected(message) from error


def translated(error: Exception, doing: str) -> StoreError:
    """The `StoreError` for an error before COMMIT, or of a read."""
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, BUSY):
        return StoreUnavailable(f"{doing}: another connection kept the database locked ({said}); try again")
    if isinstance(error, _UNAVAILABLE):
        return StoreUnavailable(f"{doing}: {said}; check the disk and the file, then try again")
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return StoreError(f"{doing}: the file is damaged ({said}); stop, and restore it from a backup")
    return StoreError(f"{doing}: {said}; this is a defect, please report it")


def commit_failed(error: Exception, doing: str) -> StoreError:
    """The `StoreError` for an error of the COMMIT statement itself."""
    if isinstance(error, (*BUSY, apsw.CorruptError, apsw.NotADBError)):
        return translated(error, doing)  # said before anything is written
    return CommitUnknown(f"{doing}: COMMIT failed with {type(error).__name__}: {error}; reconnect and read it back")


def is_taken(error: apsw.ConstraintError) -> bool:
    """Whether the constraint says that a row with this key is there already."""
    return cast("Any", error).extendedresult in _TAKEN  # the stubs do not know the attribute
