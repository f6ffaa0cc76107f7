"""A writer of one contract type's values, generated once per type: straight from the fields to the bytes.

The constructor of a contract type checks nothing, so each field's class is looked at on the way. What is not of the
very class goes through msgspec's conversion, which knows what else will do (a member of a `StrEnum` for a text, an
integer for a float) and refuses the rest. Why a value was refused is then told by `lowering`, which judges alike.
"""

# pyright: reportUnknownVariableType=false

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, get_args, get_origin
from uuid import UUID

import msgspec

from magnetar.schemas.bytewise import write_long
from magnetar.schemas.jsonable import days
from magnetar.schemas.lowering import KEPT, change_of
from magnetar.schemas.program import DEEP, Program
from magnetar.schemas.shapes import Array, Enumeration, Leaf, Named, Node, Record, Reference, Table, Union

if TYPE_CHECKING:
    from collections.abc import Mapping

Write: TypeAlias = Callable[[Any, bytes], bytes]
"""Takes a value and a prefix, gives the bytes of both."""

Hint: TypeAlias = Any
"""The type expression of a field."""


class Longs(dict[int, bytes]):
    """The bytes of every 64-bit integer; those of up to two bytes are made once."""

    def __init__(self) -> None:
        """Make the short ones."""
        super().__init__((number, write_long(number)) for number in range(-8192, 8192))

    def __missing__(self, number: int) -> bytes:
        """Make a long one; ValueError beyond 64 bits."""
        return write_long(number)


LONGS: Final = Longs()


def writer(cls: type[msgspec.Struct], node: Node, names: Mapping[str, Named]) -> Write:
    """Return the writer of a contract type whose derived type is `node`: its only unions are `X | None`."""
    return Writing(names).finished(cls, node)


class Writing:
    """Writes the program of one writer. Parts of the output are collected, and added to `out` many at once."""

    def __init__(self, names: Mapping[str, Named]) -> None:
        """Take what references refer to."""
        self._program = Program()
        self._names = names
        self._functions: dict[tuple[int, int], str] = {}
        self._waiting: list[tuple[str, Node, Hint]] = []
        self._parts: list[str] = []
        self._longs = self._program.constant(LONGS, "longs")

    def finished(self, cls: type[msgspec.Struct], node: Node) -> Write:
        """Write the function of a type and of all that it calls, and compile them."""
        main = self._function(node, cls)
        while self._waiting:
            name, waiting, hint = self._waiting.pop()
            with self._program.block(f"def {name}(value, out)"):
                self._body(waiting, hint)
                self._flush()
                self._program.line("return out")
        with self._program.block("def write(value, prefix)"):
            self._program.line(f"return b''.join({main}(value, [prefix]))")
        return self._program.finished("write", f"writer of {node}")

    def _function(self, node: Node, hint: Hint) -> str:
        place = (id(node), id(hint))
        if place not in self._functions:
            self._functions[place] = self._program.name("write")
            self._waiting.append((self._functions[place], node, hint))
        return self._functions[place]

    def _body(self, node: Node, hint: Hint) -> None:
        if not isinstance(node, Record):
            self._emit(node, hint, "value")
            return
        self._program.line(f"if value.__class__ is not {self._program.constant(hint)}: raise ValueError({OTHER!r})")
        for field, found in zip(node.fields, msgspec.structs.fields(hint), strict=True):
            local = self._program.name("f")
            self._program.line(f"{local} = value.{field.name}")
            self._emit(field.type, found.type, local)

    def _flush(self) -> None:
        if self._parts:
            self._program.line(f"out += ({', '.join(self._parts)},)")
            self._parts.clear()

    def _emit(self, node: Node, hint: Hint, value: str) -> None:  # noqa: C901 - one case per kind of node
        """Add what checks and writes the value of a variable."""
        if _is_constrained(hint):
            self._program.line(f"{self._program.constant(_check(hint), 'check')}({value})")
        actual, bare = self._names[node.name] if isinstance(node, Reference) else node, _bare(hint)
        match actual:
            case Leaf():
                self._checked(CLASSES[_place(actual)], hint, value)
                self._leaf(actual, value)
            case Record():
                self._call(actual, bare, value)
            case _ if self._program.depth > DEEP:
                self._call(actual, hint, value)
            case Array(items=items):
                self._blocks(value, _as_items, lambda item: self._emit(items, get_args(bare)[0], item))
            case Table(values=values):
                self._blocks(value, _as_pairs, lambda item: self._pair(values, get_args(bare)[1], item))
            case Union(branches=branches):
                self._optional(branches, next(each for each in get_args(bare) if each is not NoneType), value)
            case Enumeration(symbols=symbols):
                self._checked(bare, hint, value)
                written = {symbol: write_long(at) for at, symbol in enumerate(symbols)}
                self._parts.append(f"{self._program.constant(written)}[{value}.value]")
            case _:
                message = f"{actual} is of no contract type"
                raise TypeError(message)

    def _checked(self, kind: type, hint: Hint, value: str) -> None:
        check = self._program.constant(_check(hint), "check")
        self._program.line(f"if {value}.__class__ is not {self._program.constant(kind)}: {value} = {check}({value})")

    def _call(self, node: Node, hint: Hint, value: str) -> None:
        self._flush()
        self._program.line(f"{self._function(node, hint)}({value}, out)")

    def _leaf(self, leaf: Leaf, value: str) -> None:
        change = change_of(leaf)
        if change is not None:
            self._program.line(f"{value} = {self._program.constant(change)}({value})")
        match leaf.kind:
            case "boolean":
                self._parts.append(f"(b'\\1' if {value} else b'\\0')")
            case "int" | "long":
                number = f"{self._program.constant(days)}({value})" if CLASSES[_place(leaf)] is date else value
                self._parts.append(f"{self._longs}[{number}]")
            case "float" | "double":
                form = struct.Struct("<f" if leaf.kind == "float" else "<d")
                self._parts.append(f"{self._program.constant(form.pack)}({value})")
            case _:
                self._text(leaf, value)

    def _text(self, leaf: Leaf, value: str) -> None:
        raw = self._program.name("raw")
        text = f"{self._program.constant(str)}({value})" if CLASSES[_place(leaf)] is UUID else value
        self._program.line(f"{raw} = {text}.encode()" if leaf.kind == "string" else f"{raw} = {text}")
        self._parts += [f"{self._longs}[len({raw})]", raw]

    def _optional(self, branches: tuple[Node, ...], hint: Hint, value: str) -> None:
        self._flush()
        for index, branch in enumerate(branches):
            is_null = branch == Leaf("null")
            with self._program.block(f"{'elif' if index else 'if'} {value} is {'' if is_null else 'not '}None"):
                self._parts.append(repr(write_long(index)))
                if not is_null:
                    self._emit(branch, hint, value)
                self._flush()

    def _blocks(self, value: str, checked: Callable[[Any], object], emit: Callable[[str], None]) -> None:
        """One block with all items, if there are any, and the empty one that ends."""
        self._flush()
        items, item = self._program.name("items"), self._program.name("item")
        self._program.line(f"{items} = {self._program.constant(checked)}({value})")
        with self._program.block(f"if {items}"):
            self._program.line(f"out.append({self._longs}[len({items})])")
            with self._program.block(f"for {item} in {items}"):
                emit(item)
                self._flush()
        self._parts.append("b'\\0'")

    def _pair(self, values: Node, hint: Hint, item: str) -> None:
        key, value = self._program.name("key"), self._program.name("value")
        self._program.line(f"{key}, {value} = {item}")
        self._checked(str, str, key)
        self._text(Leaf("string"), key)
        self._emit(values, hint, value)


OTHER: Final = "is of another class than its contract says"

CLASSES: Final[dict[tuple[str, str], type]] = {
    ("string", ""): str,
    ("string", "uuid"): UUID,
    ("bytes", ""): bytes,
    ("bytes", "decimal"): Decimal,
    ("boolean", ""): bool,
    ("int", ""): int,
    ("int", "date"): date,
    ("long", ""): int,
    ("long", "timestamp-micros"): datetime,
    ("long", "timestamp-millis"): datetime,
    ("float", ""): float,
    ("double", ""): float,
}
"""The class of every leaf that a contract type can have."""


def _place(leaf: Leaf) -> tuple[str, str]:
    return leaf.kind, leaf.logical.name if leaf.logical else ""


def _marks(hint: Hint) -> tuple[Any, ...]:
    origin: Any = get_origin(hint)
    return get_args(hint)[1:] if origin is Annotated else ()


def _bare(hint: Hint) -> Hint:
    return get_args(hint)[0] if _marks(hint) else hint


def _is_constrained(hint: Hint) -> bool:
    """Whether a type narrows its values by `msgspec.Meta`."""
    return any(isinstance(mark, msgspec.Meta) for mark in _marks(hint))


def _check(hint: Hint) -> Callable[[Any], Any]:
    """What makes a value the very class that a type asks for, or refuses it."""
    return lambda value: msgspec.convert(msgspec.to_builtins(value, builtin_types=KEPT), hint, builtin_types=KEPT)


def _as_items(value: Any) -> Any:  # noqa: ANN401 - any value, any items
    if isinstance(value, tuple | list):
        return value
    raise ValueError(OTHER)


def _as_pairs(value: Any) -> Any:  # noqa: ANN401 - any value, any pairs
    if isinstance(value, dict):
        return value.items()
    raise ValueError(OTHER)
