"""A fast walk over encoded bytes, compiled once per schema: does every byte mean what the schema says?

fastavro trusts its input: measured on 1.13, it counts a negative union or enum index from the end, takes any byte as
a boolean, wraps integers of more than 64 bits, rounds a decimal of too many digits, and makes as many nulls as a count
says. So every message is walked first. A step takes (bytes, position) and returns the next position.
Lengths are never negative, so positions only grow: whoever runs past the end meets IndexError or a wrong
final position, and strings need no check of their own. What is wrong is then named by `inspection`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from magnetar.schemas.bytewise import INT_LIMIT, BadBytes, read_long
from magnetar.schemas.logical import UUID_TEXT
from magnetar.schemas.shapes import (
    Array,
    Enumeration,
    Fixed,
    Leaf,
    Named,
    Node,
    Record,
    Reference,
    Table,
    Union,
    Unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.schemas.weights import Weights

Step: TypeAlias = Callable[[bytes, int], int]

UUID_LENGTH: Final = 36
DOUBLE: Final = struct.Struct("<d")
FLOAT: Final = struct.Struct("<f")


def compile_walk(node: Node, names: Mapping[str, Named], weights: Weights) -> Step:  # noqa: C901, PLR0911 - one case per kind of node
    """Return the walk over values of a type that need not be counted (see `Weights.is_careful`)."""
    match node:
        case Leaf():
            return (
                _uuid if node.logical and node.logical.name == "uuid" and node.kind == "string" else LEAVES[node.kind]
            )
        case Record(fields=fields):
            return _record(tuple(compile_walk(field.type, names, weights) for field in fields))
        case Array(items=items):
            return _array(compile_walk(items, names, weights), weights.least(items))
        case Table(values=values):
            return _table(compile_walk(values, names, weights))
        case Union(branches=branches):
            return _union(tuple(compile_walk(branch, names, weights) for branch in branches))
        case Enumeration(symbols=symbols):
            return _enumeration(len(symbols))
        case Fixed(size=size):
            return lambda _, at: at + size
        case Reference(name=name):
            return compile_walk(names[name], names, weights)
        case Unreadable():
            return _unreadable


def _record(steps: tuple[Step, ...]) -> Step:
    def walk(data: bytes, at: int) -> int:
        for step in steps:
            at = step(data, at)
        return at

    return walk


def _array(item: Step, size: int) -> Step:
    def walk(data: bytes, at: int) -> int:
        while True:
            count, at, end = _block(data, at)
            if not count:
                return at
            if count * size > len(data) - at:
                raise BadBytes
            for _ in range(count):
                at = item(data, at)
            if end is not None and end != at:
                raise BadBytes

    return walk


def _table(value: Step) -> Step:
    def walk(data: bytes, at: int) -> int:
        keys: set[bytes] = set()
        while True:
            count, at, end = _block(data, at)
            if not count:
                return at
            for _ in range(count):
                after = _text(data, at)
                key = data[at:after]
                if key in keys:
                    raise BadBytes
                keys.add(key)
                at = value(data, after)
            if end is not None and end != at:
                raise BadBytes

    return walk


def _block(data: bytes, at: int) -> tuple[int, int, int | None]:
    byte = data[at]
    if byte < 128 and not byte & 1:  # noqa: PLR2004 - a count of one byte, and no size behind it
        return byte >> 1, at + 1, None
    count, at = read_long(data, at)
    if count >= 0:
        return count, at, None
    size, at = read_long(data, at)
    return -count, at, at + size


def _union(steps: tuple[Step, ...]) -> Step:
    most = min(2 * len(steps), 128)

    def walk(data: bytes, at: int) -> int:
        byte = data[at]
        if byte < most and not byte & 1:
            return steps[byte >> 1](data, at + 1)
        index, at = read_long(data, at)
        if not 0 <= index < len(steps):
            raise BadBytes
        return steps[index](data, at)

    return walk


def _enumeration(size: int) -> Step:
    most = min(2 * size, 128)

    def walk(data: bytes, at: int) -> int:
        byte = data[at]
        if byte < most and not byte & 1:
            return at + 1
        index, at = read_long(data, at)
        if not 0 <= index < size:
            raise BadBytes
        return at

    return walk


def _unreadable(_: bytes, __: int) -> int:
    raise BadBytes


def _null(_: bytes, at: int) -> int:
    return at


def _boolean(data: bytes, at: int) -> int:
    if data[at] > 1:
        raise BadBytes
    return at + 1


def _long(data: bytes, at: int) -> int:
    if data[at] < 128:  # noqa: PLR2004 - the high bit says that more bytes follow
        return at + 1
    return read_long(data, at)[1]


def _int(data: bytes, at: int) -> int:
    number, at = read_long(data, at)
    if not -INT_LIMIT // 2 <= number < INT_LIMIT // 2:
        raise BadBytes
    return at


def _float(data: bytes, at: int) -> int:
    (number,) = FLOAT.unpack_from(data, at)
    if number != number:  # noqa: PLR0124 - only NaN differs from itself
        raise BadBytes
    return at + 4


def _double(data: bytes, at: int) -> int:
    (number,) = DOUBLE.unpack_from(data, at)
    if number != number:  # noqa: PLR0124 - only NaN differs from itself
        raise BadBytes
    return at + 8


def _text(data: bytes, at: int) -> int:
    byte = data[at]
    if byte < 128:  # noqa: PLR2004 - a length of one byte
        if byte & 1:
            raise BadBytes
        return at + 1 + (byte >> 1)
    size, at = read_long(data, at)
    if size < 0:
        raise BadBytes
    return at + size


def _uuid(data: bytes, at: int) -> int:
    size, at = read_long(data, at)
    if size != UUID_LENGTH or not UUID_TEXT.fullmatch(data, at, at + UUID_LENGTH):
        raise BadBytes
    return at + UUID_LENGTH


LEAVES: Final[dict[str, Step]] = {
    "null": _null,
    "boolean": _boolean,
    "int": _int,
    "long": _long,
    "float": _float,
    "double": _double,
    "bytes": _text,
    "string": _text,
}
