"""Rows of one's own: an application's tables, written in the commit of the message that made them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, ClassVar, get_args, get_type_hints
from uuid import UUID

import msgspec
from typing_extensions import dataclass_transform

from magnetar.runtime.instant import from_datetime
from magnetar.runtime.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of an application's table. `__table__` names it (`[a-z][a-z0-9_]*`), the fields are its columns."""

    __table__: ClassVar[str]


def _text(value: object) -> object:
    return str(value)


def _instant(value: datetime) -> object:
    return from_datetime(value)


def _same(value: object) -> object:
    return value


def _symbol(value: Enum) -> object:
    return value.value


_KINDS: tuple[tuple[type, str, Callable[[Any], object]], ...] = (
    (bool, "integer", int),
    (int, "integer", _same),
    (float, "real", _same),
    (str, "text", _same),
    (bytes, "blob", _same),
    (Decimal, "text", _text),
    (UUID, "text", _text),
    (datetime, "integer", _instant),
    (Enum, "text", _symbol),
)


@dataclass(frozen=True, slots=True)
class RowPlan:
    """How rows of one type are written: the table, and a way from a row to its column values."""

    table: Table
    converters: tuple[tuple[str, Callable[[Any], object]], ...]

    def values(self, row: Row) -> tuple[object, ...]:
        """The column values: instants as microseconds, decimals and UUIDs as text."""
        return tuple(
            None if (value := getattr(row, name)) is None else convert(value) for name, convert in self.converters
        )


def _column(name: str, hint: object) -> tuple[tuple[str, str, bool], Callable[[Any], object]]:
    arms = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    plain = [arm for arm in arms if arm is not NoneType]
    if len(plain) == 1 and isinstance(plain[0], type):
        for known, kind, convert in _KINDS:
            if issubclass(plain[0], known):
                return (name, kind, NoneType in arms), convert
    message = (
        f"column {name!r} has type {hint!r}; use bool, int, float, str, bytes, Decimal, UUID, datetime, "
        "an Enum, or one of these | None"
    )
    raise TypeError(message)


def row_plan(row: type[Row]) -> RowPlan:
    """The table of a row type. `TypeError` names a column whose type has no place in a table."""
    hints = get_type_hints(row)
    columns = [_column(field.name, hints[field.name]) for field in msgspec.structs.fields(row)]
    return RowPlan(
        Table(row.__table__, tuple(column for column, _ in columns)),
        tuple((column[0], convert) for column, convert in columns),
    )
