"""A second opinion: the first values that a schema reads or writes are read and written by fastavro as well.

What runs for every message is generated (`reading`, `writing`). Whatever schema the tests have not thought of meets
an independent implementation before much rests on it: where the two differ, nothing is read or written, fail closed.
fastavro is given what it does right and nothing else: bytes that were found sound, one schema per call (resolution is
ours, see `resolution`), no decimals (its decimal context is one for all threads, and it rounds), no defaults and no
aliases.
This and `gate.raw` are the only modules that import it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import fastavro
import msgspec

from magnetar.schemas.malformed import Malformed
from magnetar.schemas.shapes import Array, Enumeration, Fixed, Leaf, Node, Record, Reference, Shape, Table, Union

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.schemas.shapes import Json

FIRST: Final = 32
"""So many values of a schema are looked at twice; 32 cost less than compiling the schema did."""

HANDLED: Final = frozenset(
    {
        ("string", "uuid"),
        ("long", "timestamp-micros"),
        ("long", "timestamp-millis"),
        ("int", "date"),
    }
)
"""Logical types that fastavro converts, on their right primitive; any other comes and goes as the primitive."""


class Opinion:
    """The second opinion on one type of one schema. Any thread; what two threads count at once may be counted once."""

    __slots__ = ("_left", "_schema")

    def __init__(self, node: Node, shape: Shape) -> None:
        """Take the type, and the schema whose names it refers to."""
        self._schema = fastavro.parse_schema(Plain(shape).json(node))
        self._left = FIRST

    @property
    def wanted(self) -> bool:
        """Whether this value is one of the first."""
        return self._left > 0

    def on_reading(self, data: bytes, at: int, value: msgspec.Struct, made: Callable[[Any], msgspec.Struct]) -> None:
        """Raise Malformed unless fastavro reads this value from the bytes; `made` makes one of what it reads."""
        stream = BytesIO(data)
        stream.seek(at)
        other = made(fastavro.schemaless_reader(stream, self._schema, None))
        self._judge(_bytes(value) == _bytes(other), "read")

    def on_writing(self, tree: object, prefix: bytes, data: bytes) -> None:
        """Raise Malformed unless fastavro writes these bytes."""
        stream = BytesIO()
        stream.write(prefix)
        fastavro.schemaless_writer(stream, self._schema, tree, strict=True, disable_tuple_notation=True)
        self._judge(stream.getvalue() == data, "written")

    def _judge(self, agreed: bool, what: str) -> None:  # noqa: FBT001 - of a comparison
        if not agreed:
            raise Malformed("$", f"is {what} differently by fastavro: one of the two codecs is wrong; please report it")
        self._left -= 1


_bytes = msgspec.msgpack.Encoder(order="deterministic").encode
"""Equal values of one contract type have equal bytes, whatever the type says of equality."""


class Plain:
    """Writes nodes as the JSON that fastavro gets; every named type is defined where it is met first."""

    def __init__(self, shape: Shape) -> None:
        """Take the schema whose names are referred to."""
        self._shape = shape
        self._defined: set[str] = set()

    def json(self, node: Node) -> Any:  # noqa: ANN401 - JSON
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
