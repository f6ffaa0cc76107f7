"""Avro's binary form by fastavro, the only module that imports it. A faster codec replaces this module and `walking`.

fastavro is given what it does right and nothing else: one schema per call (resolution is ours, see `resolution`),
no decimals (its decimal context is one for all threads, and it rounds), no defaults, no aliases.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import fastavro

from magnetar.schemas.shapes import Array, Enumeration, Fixed, Leaf, Node, Record, Reference, Shape, Table, Union

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.schemas.shapes import Json

HANDLED: Final = frozenset(
    {
        ("string", "uuid"),
        ("long", "timestamp-micros"),
        ("long", "timestamp-millis"),
        ("int", "date"),
    }
)
"""Logical types that fastavro converts, on their right primitive; any other comes and goes as the primitive."""


def reader(node: Node, shape: Shape) -> Callable[[bytes, int], Any]:
    """Return a function that reads a value at a position: dicts, lists and scalars. The bytes must have been walked."""
    parsed = fastavro.parse_schema(_plain(node, shape))
    read = fastavro.schemaless_reader

    def read_value(data: bytes, at: int) -> Any:  # noqa: ANN401 - of the schema's type
        stream = BytesIO(data)
        if at:
            stream.seek(at)
        return read(stream, parsed, None)

    return read_value


def writer(node: Node, shape: Shape) -> Callable[[Any, bytes], bytes]:
    """Return a function that writes a value (dicts, sequences, scalars) behind a prefix."""
    parsed = fastavro.parse_schema(_plain(node, shape))
    write = fastavro.schemaless_writer

    def write_value(value: Any, prefix: bytes) -> bytes:  # noqa: ANN401 - of the schema's type
        stream = BytesIO()
        stream.write(prefix)
        write(stream, parsed, value, strict=True, disable_tuple_notation=True)
        return stream.getvalue()

    return write_value


def _plain(node: Node, shape: Shape) -> Any:  # noqa: ANN401 - what fastavro takes as a schema
    return Plain(shape).json(node)


class Plain:
    """Writes nodes as the JSON that fastavro gets; every named type is defined where it is met first."""

    def __init__(self, shape: Shape) -> None:
        """Take the schema whose names are referred to."""
        self._shape = shape
        self._defined: set[str] = set()

    def json(self, node: Node) -> Json:
        """Return the JSON of a node."""
        match node:
            case Leaf(kind=kind, logical=logical):
                handled = logical is not None and (kind, logical.name) in HANDLED
                return {"type": kind, "logicalType": logical.name} if handled and logical else kind
            case Array(items=items):
                return {"type": "array", "items": self.json(items)}
            case Table(values=values):
                return {"type": "map", "values": self.json(values)}
            case Union(branches=branches):
                return [self.json(branch) for branch in branches]
            case Reference(name=name):
                return name if name in self._defined else self.json(self._shape.names[name])
            case Record() | Enumeration() | Fixed():
                return self._named(node)
            case _:
                message = f"{node} cannot be read or written"
                raise TypeError(message)

    def _named(self, node: Record | Enumeration | Fixed) -> Json:
        if node.name in self._defined:
            return node.name
        self._defined.add(node.name)
        match node:
            case Record(name=name, fields=fields):
                listed = [{"name": field.name, "type": self.json(field.type)} for field in fields]
                return {"type": "record", "name": name, "fields": listed}
            case Enumeration(name=name, symbols=symbols):
                return {"type": "enum", "name": name, "symbols": list(symbols)}
            case Fixed(name=name, size=size):
                return {"type": "fixed", "name": name, "size": size}
