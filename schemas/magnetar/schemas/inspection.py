"""A careful walk over encoded bytes: finds the first thing that is wrong, with its path, in bounded time and memory.

It is the slow twin of `reading`: that one only says *whether*, this one says *where and what*. It also judges what
the fast one does not: messages above 64 KiB (it counts values) and types that contain themselves (it counts depth).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from magnetar.schemas.bytewise import INT_LIMIT, BadBytes, read_long
from magnetar.schemas.logical import UUID_TEXT, in_range
from magnetar.schemas.malformed import Malformed
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

MOST_VALUES: Final = 250_000
"""Most values (fields, items, records) in one message: bounds the memory that decoding it takes."""

MOST_DEPTH: Final = 64
"""Deepest nesting of a value whose type contains itself."""


def inspect(data: bytes, at: int, node: Node, names: Mapping[str, Named], weights: Weights) -> int:
    """Return the position after a value, or raise Malformed with the path of the first thing that is wrong."""
    inspection = Inspection(data, at, names, weights)
    try:
        inspection.value(node, "$", 0)
    except RecursionError as error:
        raise Malformed("$", "is nested too deeply") from error
    return inspection.at


class Inspection:
    """One walk over one message."""

    def __init__(self, data: bytes, at: int, names: Mapping[str, Named], weights: Weights) -> None:
        """Start at a position of the bytes."""
        self.data = data
        self.at = at
        self._names = names
        self._weights = weights
        self._values = 0

    def value(self, node: Node, path: str, depth: int) -> None:  # noqa: C901 - one case per kind of node
        """Step over one value."""
        self._values += 1
        if self._values > MOST_VALUES:
            raise Malformed(path, f"the message holds more than {MOST_VALUES} values")
        match node:
            case Leaf():
                self._leaf(node, path)
            case Record(fields=fields):
                for field in fields:
                    self.value(field.type, f"{path}.{field.name}", depth)
            case Array(items=items):
                self._blocks(items, path, depth, None)
            case Table(values=values):
                self._blocks(values, path, depth, set())
            case Union(branches=branches):
                self.value(branches[self._index(len(branches), path, "union branch")], path, depth)
            case Enumeration(symbols=symbols):
                self._index(len(symbols), path, "enum symbol")
            case Fixed(size=size):
                self._take(size, path)
            case Reference(name=name):
                self._enter(name, path, depth + 1)
            case Unreadable(reason=reason):
                raise Malformed(path, reason)

    def _enter(self, name: str, path: str, depth: int) -> None:
        if depth > MOST_DEPTH:
            raise Malformed(path, f"is nested deeper than {MOST_DEPTH} levels")
        self.value(self._names[name], path, depth)

    def _long(self, path: str) -> int:
        try:
            number, self.at = read_long(self.data, self.at)
        except IndexError as error:
            raise Malformed(path, "the bytes end inside it") from error
        except BadBytes as error:
            raise Malformed(path, str(error)) from error
        return number

    def _take(self, size: int, path: str) -> bytes:
        if size < 0:
            raise Malformed(path, f"has the length {size}")
        if size > len(self.data) - self.at:
            raise Malformed(path, f"needs {size} bytes, but only {len(self.data) - self.at} are left")
        self.at += size
        return self.data[self.at - size : self.at]

    def _index(self, size: int, path: str, what: str) -> int:
        index = self._long(path)
        if not 0 <= index < size:
            raise Malformed(path, f"{what} {index} does not exist; there are {size}")
        return index

    def _leaf(self, leaf: Leaf, path: str) -> None:
        match leaf.kind:
            case "null":
                return
            case "boolean":
                if (byte := self._take(1, path)[0]) > 1:
                    raise Malformed(path, f"a boolean is 0 or 1, not {byte}")
            case "int" | "long":
                self._integer(leaf, path)
            case "float" | "double":
                self._number(leaf, path)
            case _:
                self._text(leaf, self._take(self._long(path), path), path)

    def _integer(self, leaf: Leaf, path: str) -> None:
        number = self._long(path)
        if leaf.kind == "int" and not -INT_LIMIT // 2 <= number < INT_LIMIT // 2:
            raise Malformed(path, f"{number} has more than 32 bits")
        if leaf.logical is not None and not in_range(leaf.kind, leaf.logical.name, number):
            raise Malformed(path, f"{number} is no {leaf.logical} between the years 1 and 9999")

    def _number(self, leaf: Leaf, path: str) -> None:
        size, form = (4, "<f") if leaf.kind == "float" else (8, "<d")
        number: float = struct.unpack(form, self._take(size, path))[0]
        if number != number:  # noqa: PLR0124 - only NaN differs from itself
            raise Malformed(path, "is not a number (NaN)")

    def _text(self, leaf: Leaf, raw: bytes, path: str) -> None:
        if leaf.kind == "bytes":
            self._decimal(leaf, raw, path)
            return
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            raise Malformed(path, f"is not UTF-8: {error.reason} at byte {error.start}") from error
        if leaf.logical is not None and leaf.logical.name == "uuid" and not UUID_TEXT.fullmatch(raw):
            raise Malformed(path, f"{raw[:64]!r} is not a UUID")

    def _decimal(self, leaf: Leaf, raw: bytes, path: str) -> None:
        if leaf.logical is None or leaf.logical.precision is None:
            return
        if not raw or abs(int.from_bytes(raw, "big", signed=True)) >= 10**leaf.logical.precision:
            raise Malformed(path, f"{len(raw)} bytes do not fit {leaf.logical}")

    def _blocks(self, items: Node, path: str, depth: int, keys: set[bytes] | None) -> None:
        while count := self._long(path):
            end = None
            if count < 0:
                count = -count  # the sign only says that the block's size follows
                end = self._long(path) + self.at
            self._check_count(count, items, path, keyed=keys is not None)
            for position in range(count):
                self._item(items, f"{path}[{position}]" if keys is None else path, depth, keys)
            if end is not None and end != self.at:
                raise Malformed(path, "a block's size contradicts its items")

    def _check_count(self, count: int, items: Node, path: str, *, keyed: bool) -> None:
        most = len(self.data) - self.at
        size = self._weights.least(items) + keyed
        if count > MOST_VALUES or count * size > most:
            raise Malformed(path, f"a block of {count} items does not fit into {most} bytes")

    def _item(self, items: Node, path: str, depth: int, keys: set[bytes] | None) -> None:
        if keys is not None:
            key = self._take(self._long(path), path)
            self._text(Leaf("string"), key, path)
            if key in keys:
                raise Malformed(path, f"the key {key[:64]!r} occurs twice")
            keys.add(key)
            path = f"{path}[{key[:64].decode(errors='replace')}]"
        self.value(items, path, depth)
