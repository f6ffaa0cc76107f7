"""Defaults of fields: are they values of the field's type? Avro writes them as JSON, bytes as code points up to 255."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.schemas.errors import SchemaInvalid
from magnetar.schemas.shapes import Array, Enumeration, Fixed, Json, Leaf, Node, Record, Shape, Table, Union

if TYPE_CHECKING:
    from collections.abc import Mapping

INTS = {"int": 1 << 31, "long": 1 << 63}


def check_default(node: Node, value: Json, shape: Shape, path: str) -> None:  # noqa: C901 - one case per kind of node
    """Raise SchemaInvalid unless a JSON value is a right default of a type."""
    node = shape.actual(node)
    match node, value:
        case Union(branches=branches), _:
            if not _is_default(branches[0], value, shape):
                raise SchemaInvalid(path, f"the default {value!r} is not of the type {branches[0]}, the union's first")
        case Array(items=items), list():
            for at, item in enumerate(value):
                check_default(items, item, shape, f"{path}[{at}]")
        case Table(values=values), dict():
            for key, item in value.items():
                check_default(values, item, shape, f"{path}{{{key}}}")
        case Record(), dict():
            _check_record(node, value, shape, path)
        case _:
            if not _fits(node, value):
                raise SchemaInvalid(path, f"the default {value!r} is not of the type {node}")


def _is_default(node: Node, value: Json, shape: Shape) -> bool:
    try:
        check_default(node, value, shape, "$")
    except SchemaInvalid:
        return False
    return True


def _check_record(node: Record, value: Mapping[str, Json], shape: Shape, path: str) -> None:
    for field in node.fields:
        if field.name in value:
            check_default(field.type, value[field.name], shape, f"{path}.{field.name}")
        elif field.default is None:
            raise SchemaInvalid(path, f"the default lacks the field {field.name}")


def _fits(node: Node, value: Json) -> bool:  # noqa: C901, PLR0911 - one case per kind of node
    match node:
        case Leaf(kind="null"):
            return value is None
        case Leaf(kind="boolean"):
            return isinstance(value, bool)
        case Leaf(kind="int" | "long" as kind):
            return isinstance(value, int) and not isinstance(value, bool) and -INTS[kind] <= value < INTS[kind]
        case Leaf(kind="float" | "double"):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Leaf(kind="string"):
            return isinstance(value, str)
        case Leaf(kind="bytes"):
            return _is_bytes(value)
        case Fixed(size=size):
            return _is_bytes(value) and isinstance(value, str) and len(value) == size
        case Enumeration(symbols=symbols):
            return value in symbols
        case _:
            return False


def _is_bytes(value: Json) -> bool:
    return isinstance(value, str) and all(ord(char) < 256 for char in value)  # noqa: PLR2004 - one byte
