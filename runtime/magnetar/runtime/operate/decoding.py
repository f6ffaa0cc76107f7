"""Stored bytes as plain JSON, read with the schema that their writer kept in the store.

No type of the application is needed, so a tool can read any store: also one whose code is not installed here, or
has moved on.
"""

from __future__ import annotations

import struct
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from magnetar.schemas import Schema, SchemaInvalid
from magnetar.schemas.bytewise import read_long
from magnetar.schemas.inspection import inspect
from magnetar.schemas.malformed import Malformed
from magnetar.schemas.shapes import Array, Enumeration, Fixed, Leaf, Logical, Record, Reference, Table, Union
from magnetar.schemas.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from magnetar.schemas.shapes import Named, Node

Plain: TypeAlias = Any
"""Whatever JSON can hold."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Content(msgspec.Struct, frozen=True):
    """What bytes say: `value` as JSON, or the `problem` that they cannot be read for."""

    value: Plain
    problem: str = ""


class Decoding:
    """Reads bytes with the schemas kept in one store, each parsed once. One thread."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """`texts` are schema texts by fingerprint."""
        self._texts = texts
        self._schemas: dict[str, Schema] = {}

    def read(self, data: bytes, fingerprint: str, type_: str = "") -> Content:
        """The value in bytes of that schema; of a topic's record only the message, whose contract name is `type_`."""
        try:
            schema = self._schema(fingerprint)
            names = schema.shape.names
            end = inspect(data, 0, schema.shape.root, names, Weights(names))
        except (Malformed, SchemaInvalid) as error:
            return Content(None, str(error))
        if end != len(data):
            return Content(None, f"{len(data) - end} bytes are left after the value")
        value = _Walk(data, names).value(schema.shape.root)
        return Content(value["body"] if _is_envelope(schema, type_) else value)

    def _schema(self, fingerprint: str) -> Schema:
        found = self._schemas.get(fingerprint)
        if found is None:
            text = self._texts.get(fingerprint)
            if text is None:
                raise SchemaInvalid("$", f"the store keeps no schema with fingerprint {fingerprint}")
            found = self._schemas[fingerprint] = Schema.parse(text)
        return found


def _is_envelope(schema: Schema, type_: str) -> bool:
    root = schema.shape.root
    alone = isinstance(root, Record) and [field.name for field in root.fields] == ["body"]
    return alone and type_ not in {"", schema.name}


class _Walk:
    """One pass over bytes that `inspect` has found right, so nothing is checked again."""

    def __init__(self, data: bytes, names: Mapping[str, Named]) -> None:
        self._data = data
        self._names = names
        self._at = 0

    def value(self, node: Node) -> Plain:  # noqa: C901, PLR0911 - one case per kind of node
        match node:
            case Leaf():
                return self._leaf(node)
            case Record(fields=fields):
                return {field.name: self.value(field.type) for field in fields}
            case Array(items=items):
                return [self.value(items) for _ in self._blocks()]
            case Table(values=values):
                return {self._bytes().decode(): self.value(values) for _ in self._blocks()}
            case Union(branches=branches):
                return self.value(branches[self._long()])
            case Enumeration(symbols=symbols):
                return symbols[self._long()]
            case Fixed(size=size, logical=logical):
                return _opaque(self._take(size), logical)
            case Reference(name=name):
                return self.value(self._names[name])
            case _:
                message = f"{node} is no schema of a writer"
                raise TypeError(message)

    def _leaf(self, leaf: Leaf) -> Plain:  # noqa: PLR0911 - one case per primitive
        match leaf.kind:
            case "null":
                return None
            case "boolean":
                return self._take(1) == b"\x01"
            case "int" | "long":
                return _number(self._long(), leaf.logical)
            case "float":
                return struct.unpack("<f", self._take(4))[0]
            case "double":
                return struct.unpack("<d", self._take(8))[0]
            case "bytes":
                return _opaque(self._bytes(), leaf.logical)
            case _:
                return self._bytes().decode()

    def _blocks(self) -> Iterator[None]:
        while count := self._long():
            if count < 0:
                self._long()
            yield from (None for _ in range(abs(count)))

    def _long(self) -> int:
        number, self._at = read_long(self._data, self._at)
        return number

    def _bytes(self) -> bytes:
        return self._take(self._long())

    def _take(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at]


def _number(number: int, logical: Logical | None) -> int | str:
    shown: Mapping[str, Callable[[], str]] = {
        "timestamp-micros": lambda: _instant(timedelta(microseconds=number)),
        "timestamp-millis": lambda: _instant(timedelta(milliseconds=number)),
        "date": lambda: date.fromordinal(_EPOCH.toordinal() + number).isoformat(),
    }
    show = shown.get(logical.name) if logical is not None else None
    return number if show is None else show()


def _instant(since: timedelta) -> str:
    return (_EPOCH + since).isoformat().replace("+00:00", "Z")


def _opaque(data: bytes, logical: Logical | None) -> str:
    """A decimal as its exact text, other bytes as hexadecimal digits."""
    if logical is None or logical.precision is None:
        return f"0x{data.hex()}"
    unscaled = int.from_bytes(data, "big", signed=True)
    digits = tuple(int(digit) for digit in str(abs(unscaled)))
    return str(Decimal((int(unscaled < 0), digits, -(logical.scale or 0))))
