"""Defaults in an Avro schema as Python source."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from magnetar.schemas.errors import SchemaUnsupported
from magnetar.schemas.jsonable import EPOCH
from magnetar.schemas.logical import in_range
from magnetar.schemas.shapes import Array, Enumeration, Json, Leaf, Logical, Node, Record, Shape, Table, Union

if TYPE_CHECKING:
    from collections.abc import Sequence

TICKS: Final = {"timestamp-micros": 1, "timestamp-millis": 1000}


def simple(full: str) -> str:
    """Return a full Avro name without its namespace."""
    return full.rpartition(".")[2]


def member(symbol: str) -> str:
    """Return the name of the enum member that stands for a symbol."""
    taken = keyword.iskeyword(symbol) or symbol == "mro" or symbol.startswith("_")
    return f"m{symbol}_" if symbol.startswith("_") else f"{symbol}_" if taken else symbol


def literal(node: Node, value: Json, shape: Shape, path: str) -> str:
    """Return the source of a default; it has been checked to be of its type."""
    node = shape.actual(node)
    match node, value:
        case Union(branches=branches), _:
            return "None" if value is None else literal(branches[0], value, shape, path)
        case Array(items=items), list():
            return "(" + "".join(f"{literal(items, item, shape, path)}, " for item in value).rstrip(" ") + ")"
        case Table(values=values), Mapping():
            return (
                "{" + ", ".join(f"{key!r}: {literal(values, item, shape, path)}" for key, item in value.items()) + "}"
            )
        case Enumeration(name=name), str():
            return f"{simple(name)}.{member(value)}"
        case Record(), Mapping():
            return _record(node, value, shape, path)
        case Leaf(), _:
            return _leaf(node, value, path)
        case _:
            raise SchemaUnsupported(path, f"has a default of the type {node}")


def _record(node: Record, value: Mapping[str, Json], shape: Shape, path: str) -> str:
    given = (field for field in node.fields if field.name in value)
    parts = (f"{field.name}={literal(field.type, value[field.name], shape, path)}" for field in given)
    return f"{simple(node.name)}({', '.join(parts)})"


def _leaf(leaf: Leaf, value: Json, path: str) -> str:
    match leaf, value:
        case Leaf(kind="bytes", logical=Logical(scale=int() as scale)), str():
            number = int.from_bytes(value.encode("latin-1"), "big", signed=True)
            exact = Decimal(f"{number}E-{scale}")
            return f'Decimal("{exact:f}")'
        case Leaf(kind="bytes"), str():
            return repr(value.encode("latin-1"))
        case Leaf(logical=Logical(name="uuid")), _:
            return f'UUID("{value}")'
        case Leaf(kind=kind, logical=Logical(name=name)), int():
            return _instant(kind, name, value, path)
        case Leaf(kind="double" | "float"), int() | float():
            return repr(float(value))
        case _:
            return repr(value)


def _instant(kind: str, logical: str, number: int, path: str) -> str:
    if not in_range(kind, logical, number):
        raise SchemaUnsupported(path, f"the default {number} is no {logical} between the years 1 and 9999")
    if logical == "date":
        return f'date.fromisoformat("{date.fromordinal(number + EPOCH.toordinal())}")'
    return f'datetime.fromisoformat("{EPOCH + timedelta(microseconds=number * TICKS[logical])}")'


def docstring(doc: str | None, indent: str) -> Sequence[str]:
    """Return the source lines of a class's docstring."""
    if not doc:
        return ()
    if "\\" in doc or '"""' in doc or doc.endswith('"') or not doc.isprintable():
        return (f"{indent}{doc!r}", "")
    return (f'{indent}"""{doc}"""', "")
