"""What PostgreSQL says, in the words of the store port, by the SQLSTATE of the error.

A transaction goes out with its COMMIT. When the connection is lost before the answer to it, it is open whether it was
committed, unless the server had refused a call before: `CommitUnknown`, and R8 settles it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.store.port import CommitRejected, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.store.postgres.connection import Refused

SHORT = "22012"
"""Division by zero: a statement changed fewer rows than it had to."""
TAKEN = "23505"
"""A row with this key is there already."""
TWICE = "21000"
"""A statement would write one row twice."""
AGAIN = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: the very same transaction may succeed."""
LOCKED = "55P03"
"""Another transaction kept a row locked for longer than we wait."""

_CONTENT = ("21", "22", "23", "54")  # cardinality, data, constraints, limits such as the length of a key
# 42501, a lacking right, is also said of a file that may not be opened, as when its file system has turned read-only.
_UNAVAILABLE = ("08", "25006", "25P03", "25P04", "28", "34", "3D", "42501", "53", "57", "58", "40")
_DAMAGED = ("XX001", "XX002")
UNFIT = (OverflowError, TypeError, UnicodeEncodeError)
"""What packing raises for a value that no column can hold."""


def translated(error: Refused, doing: str) -> StoreError:
    """The `StoreError` for a refusal; nothing of its transaction happened."""
    if error.code == LOCKED:
        return StoreUnavailable(f"{doing}: another connection kept the rows locked ({error}); try again")
    if error.code.startswith(_UNAVAILABLE):
        return StoreUnavailable(f"{doing}: {error}; look at the server, then try again")
    if error.code in _DAMAGED:
        return StoreError(f"{doing}: the database is damaged ({error}); stop, and restore it from a backup")
    return StoreError(f"{doing}: {error}; this is a defect, please report it")


def is_content(error: Refused) -> bool:
    """Whether the server refuses the rows for what is in them."""
    return error.code.startswith(_CONTENT) and error.code not in {SHORT, TAKEN}


def rejected(error: Exception, doing: str) -> CommitRejected:
    """The error for rows that no database takes (R9)."""
    return CommitRejected(f"{doing}: the store refuses these rows: {type(error).__name__}: {error}")


def readable(keys: Iterable[str]) -> list[str]:
    """Those of the texts that PostgreSQL can hold, and so might know: none with a NUL or half a surrogate pair."""
    return [key for key in keys if "\0" not in key and _encodes(key)]


def _encodes(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True
