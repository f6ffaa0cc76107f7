"""Parameters in PostgreSQL's binary format: single values, and columns of many rows as arrays for `unnest`.

An array is a head (dimensions, whether there are nulls, element type, size, lower bound) and its elements, each with
its length before it. `OverflowError`, `TypeError` and `UnicodeEncodeError` are what a value that does not fit raises.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from magnetar.runtime.store.views import Which

Packed: TypeAlias = "bytes | None"
_Value = TypeVar("_Value")

_HEAD = struct.Struct("!iiIii").pack
_LENGTH = struct.Struct("!i").pack
_INTEGER = struct.Struct("!q").pack
_NULL = _LENGTH(-1)
_BOOL, _BYTEA, _INT8, _TEXT, _FLOAT8, _UUID = 16, 17, 20, 25, 701, 2950
_SHORT = tuple(map(_LENGTH, range(256)))  # lengths that come often, made once


def integer(value: int) -> bytes:
    """An `int8`."""
    try:
        return _INTEGER(value)
    except struct.error as error:
        message = f"{value} does not fit 64 bits"
        raise OverflowError(message) from error


def boolean(value: bool) -> bytes:  # noqa: FBT001 - the value itself
    """A `bool`."""
    return b"\1" if value else b"\0"


def text(value: str) -> bytes:
    """A `text`."""
    return value.encode()


def optional(pack: Callable[[_Value], bytes], value: _Value | None) -> Packed:
    """The value packed, or a null."""
    return None if value is None else pack(value)


def integers(values: Sequence[int]) -> bytes:
    """An `int8[]`."""
    flat: list[int] = [8] * (2 * len(values))
    flat[1::2] = values
    try:
        return _head(_INT8, len(values)) + struct.pack("!" + "iq" * len(values), *flat)
    except struct.error as error:
        message = f"an integer does not fit 64 bits: {max(values, key=abs)!r}"
        raise OverflowError(message) from error


def texts(values: Sequence[str]) -> bytes:
    """A `text[]`."""
    return _head(_TEXT, len(values)) + _elements([value.encode() for value in values])


def blobs(values: Sequence[bytes]) -> bytes:
    """A `bytea[]`."""
    return _head(_BYTEA, len(values)) + _elements(values)


def uuids(values: Sequence[bytes]) -> bytes:
    """A `uuid[]`, of 16 bytes each."""
    return _head(_UUID, len(values)) + _elements(values)


def optional_texts(values: Sequence[str | None]) -> bytes:
    """A `text[]` with nulls."""
    return _with_nulls(_TEXT, values, text)


def optional_blobs(values: Sequence[bytes | None]) -> bytes:
    """A `bytea[]` with nulls."""
    return _with_nulls(_BYTEA, values, bytes)


def optional_integers(values: Sequence[int | None]) -> bytes:
    """An `int8[]` with nulls."""
    return _with_nulls(_INT8, values, integer)


def column(kind: str, values: Sequence[object]) -> bytes:
    """A column of an application's table, of one of its kinds, with nulls. The values were checked against the kind."""
    oid, pack = _KINDS[kind]
    return _with_nulls(oid, values, pack)


def _head(oid: int, count: int, *, nulls: bool = False) -> bytes:
    return _HEAD(1, nulls, oid, count, 1) if count else _HEAD(0, 0, oid, 0, 0)[:12]


def _length(count: int) -> bytes:
    return _SHORT[count] if count < len(_SHORT) else _LENGTH(count)


def _elements(values: Iterable[bytes]) -> bytes:
    return b"".join([part for value in values for part in (_length(len(value)), value)])


def _with_nulls(oid: int, values: Sequence[object], pack: Callable[..., bytes]) -> bytes:
    packed = [None if value is None else pack(value) for value in values]
    parts = [_NULL if each is None else _length(len(each)) + each for each in packed]
    return _head(oid, len(values), nulls=None in packed) + b"".join(parts)


_KINDS: Mapping[str, tuple[int, Callable[..., bytes]]] = {
    "text": (_TEXT, text),
    "integer": (_INT8, integer),
    "real": (_FLOAT8, struct.Struct("!d").pack),
    "blob": (_BYTEA, bytes),
}


def real(value: float) -> bytes:
    """A `float8`."""
    return struct.pack("!d", value)


def packed_choice(which: Which) -> tuple[Packed, ...]:
    """Which dead letters, in the order of its fields."""
    *words, since, until, status = which
    return (
        *(optional(text, each) for each in words),
        *(optional(integer, each) for each in (since, until)),
        text(status),
    )
