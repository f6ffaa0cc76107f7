"""An Avro schema as a tree of small immutable nodes: what every other part of this package works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

UPCASTS: Final = "magnetar.upcasts"
"""The attribute of a record's schema that tells how many declared upcasts lead to it; not there where none does."""

PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


@dataclass(frozen=True, slots=True)
class Logical:
    """A logical type on a primitive or fixed: its name and, of a decimal, its two numbers."""

    name: str
    precision: int | None = None
    scale: int | None = None

    def __str__(self) -> str:
        """Return it as messages show it, such as ``decimal(12, 2)``."""
        return self.name if self.precision is None else f"{self.name}({self.precision}, {self.scale})"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A primitive type, perhaps with a logical one on top."""

    kind: str
    logical: Logical | None = None

    def __str__(self) -> str:
        """Return it as messages show it, such as ``long/timestamp-micros``."""
        return self.kind if self.logical is None else f"{self.kind}/{self.logical}"


@dataclass(frozen=True, slots=True)
class Fixed:
    """Exactly `size` bytes."""

    name: str
    size: int
    logical: Logical | None = None

    def __str__(self) -> str:
        """Return it as messages show it."""
        return f"fixed {self.name}[{self.size}]" + ("" if self.logical is None else f"/{self.logical}")


@dataclass(frozen=True, slots=True)
class Enumeration:
    """One of some symbols; `default` stands for a symbol that a reader does not know."""

    name: str
    symbols: tuple[str, ...]
    default: str | None = None
    doc: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """Return it as messages show it."""
        return f"enum {self.name}"


@dataclass(frozen=True, slots=True)
class Default:
    """A field's default as JSON, wrapped so that a default of null differs from no default."""

    value: Json


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record."""

    name: str
    type: Node
    default: Default | None = None
    aliases: tuple[str, ...] = ()
    doc: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Record:
    """Named fields in the order in which they are written. `upcasts`: so many declared ones lead to this version."""

    name: str
    fields: tuple[Field, ...]
    doc: str | None = field(default=None, compare=False)
    upcasts: int = 0

    def __str__(self) -> str:
        """Return it as messages show it."""
        return f"record {self.name}"


@dataclass(frozen=True, slots=True)
class Array:
    """Any number of one type, in blocks."""

    items: Node

    def __str__(self) -> str:
        """Return it as messages show it."""
        return f"array of {self.items}"


@dataclass(frozen=True, slots=True)
class Table:
    """Avro's map: string keys to one type, in blocks."""

    values: Node

    def __str__(self) -> str:
        """Return it as messages show it."""
        return f"map of {self.values}"


@dataclass(frozen=True, slots=True)
class Union:
    """One of some types; the index comes first."""

    branches: tuple[Node, ...]

    def __str__(self) -> str:
        """Return it as messages show it."""
        return "union of " + ", ".join(str(branch) for branch in self.branches)


@dataclass(frozen=True, slots=True)
class Reference:
    """A named type that is defined elsewhere in the schema (earlier, or around this place)."""

    name: str

    def __str__(self) -> str:
        """Return it as messages show it."""
        return self.name


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A branch that its writer may use and this reader has no type for; appears only after resolution."""

    reason: str


Named: TypeAlias = Record | Enumeration | Fixed
Node: TypeAlias = Leaf | Fixed | Enumeration | Record | Array | Table | Union | Reference | Unreadable


@dataclass(frozen=True, slots=True)
class Shape:
    """A whole schema: its root and every named type in it by full name."""

    root: Node
    names: Mapping[str, Named]
    aliases: Mapping[str, tuple[str, ...]]

    def actual(self, node: Node) -> Node:
        """Return the node a reference stands for; any other node is its own answer."""
        return self.names[node.name] if isinstance(node, Reference) else node


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly inside a node (a reference has none)."""
    match node:
        case Record(fields=fields):
            return tuple(each.type for each in fields)
        case Array(items=inner) | Table(values=inner):
            return (inner,)
        case Union(branches=branches):
            return branches
        case _:
            return ()
