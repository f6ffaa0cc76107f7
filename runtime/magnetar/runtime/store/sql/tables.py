"""The application's own tables: which names may stand in SQL text, and which values fit a column."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from magnetar.runtime.store.port import CommitRejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.store.port import AppRow
    from magnetar.runtime.table import Table

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MAX_COLUMNS = 100
OWN_COLUMNS = ("message_id", "ordinal", "shard")
"""What every row carries before the application's columns."""

_KINDS: Mapping[str, type] = {"text": str, "integer": int, "real": float, "blob": bytes}
_INTEGERS = range(-(2**63), 2**63)


def table_name(name: str) -> str:
    """The name in the database of the application's table; `ValueError` unless it is plain."""
    if _NAME.fullmatch(name) is None:
        message = f"table name {name!r}: use 1 to 40 of a-z, 0-9 and _, a letter first"
        raise ValueError(message)
    return f"app_{name}"


def check_table(table: Table) -> None:
    """`ValueError` that says what is wrong with the declaration: these names become SQL text."""
    problems = [f"column {name!r}: unknown kind {kind!r}" for name, kind, _ in table.columns if kind not in _KINDS]
    names = [name for name, _, _ in table.columns]
    problems += [f"column name {name!r}: use 1 to 40 of a-z, 0-9 and _" for name in names if not _NAME.fullmatch(name)]
    problems += [f"column name {name!r} is the store's own" for name in names if name in OWN_COLUMNS]
    problems += [f"column {name!r} stands twice" for name in sorted(set(names)) if names.count(name) > 1]
    if not 1 <= len(names) <= _MAX_COLUMNS:
        problems.append(f"{len(names)} columns: 1 to {_MAX_COLUMNS} are allowed")
    if problems:
        message = f"{table_name(table.name)}: {'; '.join(problems)}"
        raise ValueError(message)


def check_row(row: AppRow, tables: Mapping[str, Table]) -> None:
    """`CommitRejected` that names the column whose value does not fit: every database refuses the same rows."""
    table = tables.get(row.table)
    if table is None:
        message = f"row for table {row.table!r}, which was not prepared: register it with the application"
        raise CommitRejected(message)
    if len(row.values) != len(table.columns):
        message = f"row for table {row.table!r} has {len(row.values)} values for {len(table.columns)} columns"
        raise CommitRejected(message)
    for (name, kind, nullable), value in zip(table.columns, row.values, strict=True):
        if not _fits(value, kind, nullable=nullable):
            message = f"table {row.table!r}, column {name!r}: {type(value).__name__} value does not fit {kind}"
            raise CommitRejected(message)


def _fits(value: object, kind: str, *, nullable: bool) -> bool:
    if value is None:
        return nullable
    if type(value) is not _KINDS[kind]:  # exactly: True is no integer, and a str subclass may not be what it seems
        return False
    if isinstance(value, int):
        return value in _INTEGERS
    # NaN would be stored as NULL by one database and as NaN by another.
    return not (isinstance(value, float) and value != value)  # noqa: PLR0124
