"""A contract value as the plain tree that its bytes stand for: checked against its own type, exact or refused.

It is the slow twin of `writing`: it tells why a value was refused, and gives the second opinion something to write.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import math
import struct
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from magnetar.schemas.changes import each, every, fieldwise, unless_none
from magnetar.schemas.jsonable import micros, millis, unscaled, unscaled_bytes
from magnetar.schemas.malformed import Malformed
from magnetar.schemas.shapes import Array, Leaf, Logical, Node, Record, Reference, Shape, Table, Union

if TYPE_CHECKING:
    from magnetar.schemas.changes import Change
    from magnetar.schemas.shapes import Named

KEPT: Final = (bytes, date, datetime, Decimal, UUID)
"""Types that stay what they are in the tree."""

INT_LIMIT: Final = 1 << 31
LONG_LIMIT: Final = 1 << 63
FLOAT_LIMIT: Final = 2.0**128 - 2.0**104
FLOAT: Final = struct.Struct("<f")


class Lowering:
    """Turns values of one contract type into trees."""

    def __init__(self, cls: type[msgspec.Struct], shape: Shape) -> None:
        """Compile what has to be changed for a type: decimals, instants and 32-bit integers."""
        self._type = cls
        self._shape = shape
        self._changes: dict[str, Change | None] = {}
        self._change = self._compile(shape.root)

    def tree(self, value: msgspec.Struct) -> Any:  # noqa: ANN401 - dicts, sequences and scalars
        """Return the tree of a value; ValueError, TypeError or msgspec.ValidationError where it does not fit."""
        tree = self.untyped(value)
        msgspec.convert(tree, self._type, builtin_types=KEPT)  # the constructor checks nothing; this checks every field
        return tree if self._change is None else self._change(tree)

    def untyped(self, value: msgspec.Struct) -> Any:  # noqa: ANN401 - as `tree`
        """Return the tree of a value without checking or changing it."""
        return msgspec.to_builtins(value, builtin_types=KEPT)

    def refusal(self, value: msgspec.Struct) -> Malformed | None:
        """Return where a value does not fit and why, if it does not."""
        try:
            self.tree(value)
        except Exception as error:  # noqa: BLE001 - whatever msgspec or a change raises says why
            found = error if isinstance(error, Malformed) else Malformed.of(error)
            return found if found.path != "$" else self.located(value) or found
        return self.located(value)

    def located(self, value: msgspec.Struct) -> Malformed | None:
        """Return the first part of a value that cannot be written, with its path; slow, for after a failure."""
        try:
            for field in msgspec.structs.fields(value):
                explain_kind(getattr(value, field.name), f"$.{field.name}")
            explain(self.untyped(value), self._shape.root, self._shape)
        except Malformed as found:
            return found
        return None

    def _compile(self, node: Node) -> Change | None:  # noqa: PLR0911 - one case per kind of node
        match node:
            case Leaf():
                return change_of(node)
            case Record():
                return self._record(node)
            case Array(items=items):
                return each(self._compile(items))
            case Table(values=values):
                return every(self._compile(values))
            case Union(branches=branches):
                return unless_none(next(filter(None, map(self._compile, branches)), None))
            case Reference(name=name):
                return self._reference(self._shape.names[name])
            case _:
                return None

    def _reference(self, node: Named) -> Change | None:
        if not isinstance(node, Record):
            return None
        if node.name in self._changes:
            return self._changes[node.name]
        return lambda value: self._again(node.name, value)

    def _again(self, name: str, value: Any) -> Any:  # noqa: ANN401 - a record's tree
        change = self._changes[name]
        return value if change is None else change(value)

    def _record(self, node: Record) -> Change | None:
        self._changes[node.name] = fieldwise([(field.name, self._compile(field.type)) for field in node.fields])
        return self._changes[node.name]


def change_of(leaf: Leaf) -> Change | None:  # noqa: PLR0911 - one case per kind of leaf
    """Return what a value of the leaf's class must go through before it is written, if anything."""
    match leaf:
        case Leaf(logical=Logical(name="decimal", precision=int() as precision, scale=int() as scale)):
            return lambda value: unscaled_bytes(unscaled(value, precision, scale))
        case Leaf(logical=Logical(name="timestamp-micros")):
            return micros
        case Leaf(logical=Logical(name="timestamp-millis")):
            return millis
        case Leaf(kind="int", logical=None):
            return _int32
        case Leaf(kind="float"):
            return _float32
        case Leaf(kind="double"):
            return _number
        case _:
            return None


def _int32(value: int) -> int:
    if not -INT_LIMIT <= value < INT_LIMIT:
        message = f"{value} has more than 32 bits"
        raise ValueError(message)
    return value


def _float32(value: float) -> float:
    if math.isfinite(_number(value)) and (abs(value) > FLOAT_LIMIT or FLOAT.unpack(FLOAT.pack(value))[0] != value):
        message = f"{value} cannot be held exactly in 32 bits"
        raise ValueError(message)
    return value


def _number(value: float) -> float:
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        message = "is not a number (NaN)"
        raise ValueError(message)
    return value


def explain_kind(value: Any, path: str) -> None:  # noqa: ANN401 - any value
    """Raise Malformed where a field holds something that is no value at all, such as an open file."""
    try:
        msgspec.to_builtins(value, builtin_types=KEPT)
    except (TypeError, ValueError) as error:
        raise Malformed(path, str(error)) from error


def explain(tree: Any, node: Node, shape: Shape, path: str = "$") -> None:  # noqa: ANN401, C901 - any tree
    """Raise Malformed at the first part of a tree that cannot be written; slow, for after a failure."""
    node = shape.actual(node)
    match node:
        case Record(fields=fields) if isinstance(tree, dict):
            for name in tree.keys() - {field.name for field in fields}:
                raise Malformed(f"{path}.{name}", "is no field of the contract (is the value of a subclass?)")
            for field in fields:
                explain(tree.get(field.name), field.type, shape, f"{path}.{field.name}")
        case Array(items=items) if isinstance(tree, list | tuple):
            for at, item in enumerate(tree):
                explain(item, items, shape, f"{path}[{at}]")
        case Table(values=values) if isinstance(tree, dict):
            for key, item in tree.items():
                explain(key, Leaf("string"), shape, path)
                explain(item, values, shape, f"{path}[{key}]")
        case Union(branches=branches) if tree is not None:
            explain(tree, next(branch for branch in branches if branch != Leaf("null")), shape, path)
        case Leaf():
            _explain_leaf(tree, node, path)
        case _:
            return


def _explain_leaf(value: Any, leaf: Leaf, path: str) -> None:  # noqa: ANN401 - any value
    change = change_of(leaf)
    try:
        if change is not None:
            change(value)
        if isinstance(value, str):
            value.encode()
    except (ValueError, TypeError, ArithmeticError) as error:
        raise Malformed(path, str(error)) from error
    if leaf.kind == "long" and isinstance(value, int) and not -LONG_LIMIT <= value < LONG_LIMIT:
        raise Malformed(path, f"{value} has more than 64 bits")
