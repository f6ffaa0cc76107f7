"""A reader of encoded bytes, generated once per schema: one pass that reads a value and checks every byte of it.

Nothing is trusted: lengths and union indexes are never negative, booleans are 0 or 1, integers have their bits, blocks
keep their sizes, a map's keys differ. Positions only grow, so whoever runs past the end meets IndexError, or ends at
another position than the bytes do, which the caller checks; texts need no check of their own. What is wrong is then
named by `inspection`. It gives dicts, lists and scalars; a UUID stays text of 36 characters, as the conversion to
the contract's type makes one faster.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from magnetar.schemas.bytewise import INT_LIMIT, BadBytes, read_long
from magnetar.schemas.jsonable import EPOCH
from magnetar.schemas.program import DEEP, Program
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
    from collections.abc import Generator, Mapping

    from magnetar.schemas.weights import Weights

Read: TypeAlias = Callable[[bytes, int], tuple[Any, int]]
"""Takes bytes and a position, gives a value and the position after it."""

UUID_LENGTH: Final = 36
SMALL_LONGS: Final = tuple((byte >> 1) ^ -(byte & 1) for byte in range(128))
"""The integers of one byte."""


def reader(node: Node, names: Mapping[str, Named], weights: Weights) -> Read:
    """Return the reader of a type. What `Weights.is_careful` says of it must have been inspected before."""
    reading = Reading(names, weights)
    return reading.finished(node)


class Reading:
    """Writes the program of one reader."""

    def __init__(self, names: Mapping[str, Named], weights: Weights) -> None:
        """Take what references refer to, and the weights of the same types."""
        self._program = Program()
        self._names = names
        self._weights = weights
        self._functions: dict[int, str] = {}
        self._waiting: list[tuple[str, Node]] = []
        self._long = self._program.constant(read_long, "read_long")
        self._size = self._program.constant(read_size, "read_size")
        self._small = self._program.constant(SMALL_LONGS, "small")
        self._bad = self._program.constant(BadBytes, "BadBytes")

    def finished(self, node: Node) -> Read:
        """Write the function of a type and of all that it calls, and compile them."""
        main = self._function(node)
        while self._waiting:
            name, waiting = self._waiting.pop()
            with self._program.block(f"def {name}(data, at)"):
                self._body(waiting)
                self._program.line("return value, at")
        return self._program.finished(main, f"reader of {node}")

    def _function(self, node: Node) -> str:
        """The name of the function that reads a type; each record has one, so that it may contain itself."""
        if id(node) not in self._functions:
            self._functions[id(node)] = self._program.name("read")
            self._waiting.append((self._functions[id(node)], node))
        return self._functions[id(node)]

    def _body(self, node: Node) -> None:
        if isinstance(node, Record):
            self._fields(node)
        else:
            self._emit(node, "value")

    def _fields(self, record: Record) -> None:
        names = [self._program.name("f") for _ in record.fields]
        for name, field in zip(names, record.fields, strict=True):
            self._emit(field.type, name)
        pairs = ", ".join(f"{field.name!r}: {name}" for name, field in zip(names, record.fields, strict=True))
        self._program.line(f"value = {{{pairs}}}")

    def _emit(self, node: Node, target: str) -> None:  # noqa: C901 - one case per kind of node
        """Add the lines that read a value into a variable and move `at` behind it."""
        line = self._program.line
        actual = self._names[node.name] if isinstance(node, Reference) else node
        match actual:
            case Leaf():
                self._leaf(actual, target)
            case Record():
                line(f"{target}, at = {self._function(actual)}(data, at)")
            case _ if self._program.depth > DEEP:
                line(f"{target}, at = {self._function(actual)}(data, at)")
            case Array(items=items):
                self._array(items, target)
            case Table(values=values):
                self._table(values, target)
            case Union(branches=branches):
                self._union(branches, target)
            case Enumeration(symbols=symbols):
                self._size_into("n")
                line(f"{target} = {self._program.constant(symbols)}[n]")
            case Fixed(size=size):
                line(f"{target} = data[at:at + {size}]", f"at += {size}")
            case Unreadable():
                line(f"raise {self._bad}")

    def _leaf(self, leaf: Leaf, target: str) -> None:
        line = self._program.line
        match leaf.kind:
            case "null":
                line(f"{target} = None")
            case "boolean":
                line(f"{target} = {self._program.constant((False, True))}[data[at]]", "at += 1")
            case "int" | "long":
                self._integer(leaf, target)
            case "float" | "double":
                form = struct.Struct("<f" if leaf.kind == "float" else "<d")
                line(f"{target}, = {self._program.constant(form.unpack_from)}(data, at)", f"at += {form.size}")
                line(f"if {target} != {target}: raise {self._bad}")  # only NaN differs from itself
            case _:
                self._text(leaf, target)

    def _integer(self, leaf: Leaf, target: str) -> None:
        line = self._program.line
        line("n = data[at]")
        line(f"if n < 128: {target} = {self._small}[n]; at += 1")
        line(f"else: {target}, at = {self._long}(data, at)")
        if leaf.kind == "int":
            line(f"if not {-INT_LIMIT // 2} <= {target} < {INT_LIMIT // 2}: raise {self._bad}")
        convert = CONVERSIONS.get((leaf.kind, leaf.logical.name)) if leaf.logical else None
        if convert is not None:
            line(f"{target} = {self._program.constant(convert)}({target})")

    def _text(self, leaf: Leaf, target: str) -> None:
        self._size_into("n")
        if leaf.kind == "string" and leaf.logical and leaf.logical.name == "uuid":
            self._program.line(f"if n != {UUID_LENGTH}: raise {self._bad}")
        decode = ".decode()" if leaf.kind == "string" else ""
        self._program.line("end = at + n", f"{target} = data[at:end]{decode}", "at = end")

    def _size_into(self, target: str) -> None:
        """A length or an index: not negative, nearly always of one byte."""
        self._program.line(f"{target} = data[at]")
        self._program.line(f"if {target} & 129: {target}, at = {self._size}(data, at)")
        self._program.line(f"else: {target} >>= 1; at += 1")

    def _union(self, branches: tuple[Node, ...], target: str) -> None:
        self._size_into("n")
        for index, branch in enumerate(branches):
            with self._program.block(f"{'elif' if index else 'if'} n == {index}"):
                self._emit(branch, target)
        self._program.line(f"else: raise {self._bad}")

    def _array(self, items: Node, target: str) -> None:
        item, size = self._program.name("item"), self._weights.least(items)
        self._program.line(f"{target} = []")
        with self._blocks(f"if n * {size} > len(data) - at: raise {self._bad}"):
            self._emit(items, item)
            self._program.line(f"{target}.append({item})")

    def _table(self, values: Node, target: str) -> None:
        key, value = self._program.name("key"), self._program.name("value")
        self._program.line(f"{target} = {{}}")
        with self._blocks(f"if n > len(data) - at: raise {self._bad}"):
            self._text(Leaf("string"), key)
            self._program.line(f"if {key} in {target}: raise {self._bad}")
            self._emit(values, value)
            self._program.line(f"{target}[{key}] = {value}")

    @contextmanager
    def _blocks(self, check: str) -> Generator[None]:
        """The loops over blocks and over the items of one; the body reads an item."""
        line, stop = self._program.line, self._program.name("stop")
        block = self._program.constant(read_block, "read_block")
        with self._program.block("while True"):
            line("n = data[at]")
            line(f"if n & 129: n, at, {stop} = {block}(data, at)")
            line(f"else: n >>= 1; at += 1; {stop} = None")
            line("if not n: break", check)
            with self._program.block("for _ in range(n)"):
                yield
            line(f"if {stop} is not None and {stop} != at: raise {self._bad}")


def read_size(data: bytes, at: int) -> tuple[int, int]:
    """Return a length or an index and the position after it; BadBytes for a negative one."""
    size, at = read_long(data, at)
    if size < 0:
        raise BadBytes
    return size, at


def read_block(data: bytes, at: int) -> tuple[int, int, int | None]:
    """Return a block's count, the position of its first item, and where it must end if it says so."""
    count, at = read_long(data, at)
    if count >= 0:
        return count, at, None
    size, at = read_long(data, at)
    return -count, at, at + size


def _instant(number: int) -> datetime:
    return EPOCH + timedelta(0, 0, number)


def _instant_of_millis(number: int) -> datetime:
    return EPOCH + timedelta(0, 0, 0, number)


def _day(number: int) -> date:
    return date.fromordinal(EPOCH.toordinal() + number)


CONVERSIONS: Final[dict[tuple[str, str], Callable[[int], date]]] = {
    ("long", "timestamp-micros"): _instant,
    ("long", "timestamp-millis"): _instant_of_millis,
    ("int", "date"): _day,
}
"""Logical types of integers; any other comes as the integer."""
