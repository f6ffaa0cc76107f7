"""Samples of what a schema writes: the least, the full and the largest value, the same ones each time they are made."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final
from uuid import UUID
from zlib import crc32

from magnetar.schemas.logical import FIRST_DAY, FIRST_MICRO, LAST_DAY, LAST_MICRO
from magnetar.schemas.shapes import Array, Enumeration, Fixed, Leaf, Node, Record, Shape, Table, Union, children

DEEP: Final = 4
"""Below so many records, arrays and maps a value ends as soon as it can."""


class Size(Enum):
    """How much there is in a sample."""

    LEAST = "least"
    FULL = "full"
    MOST = "most"


def samples(shape: Shape) -> list[Any]:
    """Return raw values of a schema: the least, the largest, and full ones until each branch of a union was met."""
    turns = max((sum(each != Leaf("null") for each in node.branches) for node in _unions(shape)), default=1)
    full = [Sampler(shape, Size.FULL, turn).node(shape.root, "$", 0) for turn in range(turns)]
    ends = [Sampler(shape, size, 0).node(shape.root, "$", 0) for size in (Size.LEAST, Size.MOST)]
    made = [*full, *ends]
    return [each for at, each in enumerate(made) if each not in made[:at]]


class Sampler:
    """Makes one sample of a schema; `turn` says which branch of a large union."""

    def __init__(self, shape: Shape, size: Size, turn: int) -> None:
        """Take the schema and how much is wanted."""
        self._shape = shape
        self._size = size
        self._turn = turn

    def node(self, node: Node, path: str, depth: int) -> Any:  # noqa: ANN401, PLR0911 - a raw value, by kind of node
        """Return a raw value of a type; `path` makes it differ from its neighbours'."""
        match actual := self._shape.actual(node):
            case Leaf():
                return self._leaf(actual, path)
            case Fixed(size=size):
                return bytes(crc32(f"{path}{at}".encode()) & 255 for at in range(size))
            case Enumeration(symbols=symbols):
                return symbols[0] if self._size is Size.LEAST else symbols[-1]
            case Record(fields=fields):
                return {each.name: self.node(each.type, f"{path}.{each.name}", depth + 1) for each in fields}
            case Array(items=items):
                return [self.node(items, f"{path}[{at}]", depth + 1) for at in range(self._count(depth))]
            case Table(values=values):
                return {f"k{at}": self.node(values, f"{path}{{{at}}}", depth + 1) for at in range(self._count(depth))}
            case Union(branches=branches):
                return self._union(branches, path, depth)
            case _:
                raise TypeError(actual)

    def _count(self, depth: int) -> int:
        return 0 if self._size is Size.LEAST or depth > DEEP else 2

    def _union(self, branches: tuple[Node, ...], path: str, depth: int) -> Any:  # noqa: ANN401 - a raw value
        actual = [self._shape.actual(each) for each in branches]
        ends = [each for each in actual if isinstance(each, Leaf)]
        if (self._size is Size.LEAST or depth > DEEP) and ends:
            chosen: Node = next((each for each in ends if each.kind == "null"), ends[0])
        else:
            values = [each for each in actual if each != Leaf("null")]
            chosen = values[self._turn % len(values)] if values else actual[0]
        value = self.node(chosen, path, depth)
        several = sum(isinstance(each, Record) for each in actual) > 1
        return (chosen.name, value) if several and isinstance(chosen, Record) else value

    def _leaf(self, leaf: Leaf, path: str) -> Any:  # noqa: ANN401 - a raw value
        number = crc32(path.encode()) % 1000 + 1
        match leaf.kind:
            case "null":
                return None
            case "boolean":
                return self._size is not Size.LEAST
            case "int" | "long":
                return self._integer(leaf, number)
            case "float" | "double":
                return {Size.LEAST: 0.0, Size.FULL: number / 8, Size.MOST: -1e30 if leaf.kind == "double" else -0.5}[
                    self._size
                ]
            case "bytes":
                return self._bytes(leaf, number)
            case _:
                return self._text(leaf, path, number)

    def _integer(self, leaf: Leaf, number: int) -> int:
        least, most, full = -(1 << 63), (1 << 63) - 1, number
        match leaf.kind, leaf.logical.name if leaf.logical else "":
            case "int", "date":
                least, most, full = FIRST_DAY, LAST_DAY, 20_000 + number
            case "int", _:
                least, most = -(1 << 31), (1 << 31) - 1
            case _, "timestamp-micros":
                least, most, full = FIRST_MICRO, LAST_MICRO, 1_767_225_600_000_000 + number
            case _, "timestamp-millis":
                least, most, full = -(-FIRST_MICRO // 1000), LAST_MICRO // 1000, 1_767_225_600_000 + number
            case _:
                pass
        return {Size.LEAST: 0, Size.FULL: full, Size.MOST: most if number % 2 else least}[self._size]

    def _bytes(self, leaf: Leaf, number: int) -> bytes:
        precision = leaf.logical.precision if leaf.logical else None
        if precision is None:
            return {Size.LEAST: b"", Size.FULL: number.to_bytes(2, "big"), Size.MOST: b"\x00\xff" * 4}[self._size]
        most: int = 10**precision - 1
        value: int = {Size.LEAST: 0, Size.FULL: min(number, most), Size.MOST: -most}[self._size]
        return value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True)

    def _text(self, leaf: Leaf, path: str, number: int) -> str:
        if leaf.logical is not None and leaf.logical.name == "uuid":
            return str(UUID(int=0 if self._size is Size.LEAST else crc32(path.encode()) << 64 | number, version=4))
        name = path.rpartition(".")[2].strip("[]{}0123456789")
        return {Size.LEAST: "", Size.FULL: f"{name}-{number}", Size.MOST: f"{name} zß水🍌" * 2}[self._size]


def _unions(shape: Shape) -> Iterator[Union]:
    waiting: list[Node] = [shape.root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Union):
            yield node
        waiting += children(node)
