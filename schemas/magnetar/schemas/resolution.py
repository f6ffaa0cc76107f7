"""Can what one schema wrote be read as another? Decided once per pair, before any bytes are looked at.

The reader is always derived from a contract type, so it is a record without aliases, and its only unions are
``X | None``. Values are read with the writer's schema and then changed into what the reader means; where Avro's own
rules would let a value change its meaning (another scale, another time unit, a long as a double), the pair is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from magnetar.schemas.changes import each, every, fieldwise, unless_none
from magnetar.schemas.malformed import Malformed
from magnetar.schemas.shapes import (
    Array,
    Enumeration,
    Field,
    Fixed,
    Leaf,
    Named,
    Node,
    Record,
    Reference,
    Shape,
    Table,
    Union,
    Unreadable,
)

if TYPE_CHECKING:
    from magnetar.schemas.changes import Change

WIDENING: Final = frozenset({("int", "long"), ("int", "double"), ("float", "double")})
"""Promotions that keep every value; a long as a double does not, and a text is no bytes."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """How to read what a writer wrote: the types to expect in the bytes, and what to change afterwards."""

    node: Node
    names: Mapping[str, Named]
    change: Change | None


def resolve(written: Node, writer: Shape, read: Node, reader: Shape) -> Resolution:
    """Return how to read one schema's values as another's, or raise Malformed with the path and the reason."""
    resolver = Resolver(writer, reader)
    node, change = resolver.resolve(written, read, "$")
    return Resolution(node, {**writer.names, **resolver.names}, change)


class Resolver:
    """Resolves one pair of schemas; named types once each."""

    def __init__(self, writer: Shape, reader: Shape) -> None:
        """Take the two schemas."""
        self._writer = writer
        self._reader = reader
        self.names: dict[str, Named] = {}
        self._changes: dict[str, Change | None] = {}
        self._open: set[str] = set()

    def resolve(  # noqa: C901, PLR0911 - one case per kind of node
        self,
        written: Node,
        read: Node,
        path: str,
    ) -> tuple[Node, Change | None]:
        """Return what to expect in the bytes and what to change; raise Malformed where the two contradict."""
        actual, wanted = self._writer.actual(written), self._reader.actual(read)
        if isinstance(actual, Union):
            return self._from_union(actual, wanted, path)
        if isinstance(wanted, Union):
            return self.resolve(written, self._branch(actual, wanted, path), path)
        match actual, wanted:
            case Leaf(), Leaf():
                return actual, _leaf(actual, wanted, path)
            case Array(), Array():
                items, change = self.resolve(actual.items, wanted.items, f"{path}[]")
                return Array(items), each(change)
            case Table(), Table():
                values, change = self.resolve(actual.values, wanted.values, f"{path}{{}}")
                return Table(values), every(change)
            case Enumeration(), Enumeration():
                return actual, _symbols(actual, wanted, path)
            case Record(), Record():
                return self._record(actual, wanted, path)
            case Fixed(), Fixed() if actual == wanted:
                return actual, None
            case _:
                raise _contradiction(path, actual, wanted)

    def _from_union(self, written: Union, wanted: Node, path: str) -> tuple[Node, Change | None]:
        branches: list[Node] = []
        changes: list[Change] = []
        refusals: list[Malformed] = []
        for branch in written.branches:
            try:
                node, change = self.resolve(branch, wanted, path)
            except Malformed as error:
                refusals.append(error)
                node, change = Unreadable(error.reason), None
            branches.append(node)
            if change is not None:
                changes.append(change)
        readable = [node for node in branches if not isinstance(node, Unreadable) and node != Leaf("null")]
        if not readable:  # a record that failed half-way is never met again: the whole pair is refused
            raise max(
                reversed(refusals), key=lambda error: len(error.path), default=_contradiction(path, written, wanted)
            )
        # Only one kind of Avro type needs a change for a given reader, and a union holds each kind once.
        return Union(tuple(branches)), unless_none(changes[0] if changes else None)

    def _branch(self, actual: Node, wanted: Union, path: str) -> Node:
        for branch in wanted.branches:
            if (branch == Leaf("null")) == (actual == Leaf("null")):
                return branch
        raise _contradiction(path, actual, wanted)

    def _record(self, written: Record, wanted: Record, path: str) -> tuple[Node, Change | None]:
        name = written.name
        if name != wanted.name:
            raise _contradiction(path, written, wanted)
        if written.upcasts != wanted.upcasts:  # never the contract itself, whose upcasts are applied
            raise Malformed(
                path, f"{name} was written after {written.upcasts} upcasts, and is read after {wanted.upcasts}"
            )
        if name in self._open:
            return Reference(name), lambda value: self._again(name, value)
        if name not in self._changes:
            self._open.add(name)
            self.names[name], self._changes[name] = self._fields(written, wanted, path)
            self._open.remove(name)
        return self.names[name], self._changes[name]

    def _again(self, name: str, value: Any) -> Any:  # noqa: ANN401 - a value of the record
        change = self._changes[name]
        return value if change is None else change(value)

    def _fields(self, written: Record, wanted: Record, path: str) -> tuple[Record, Change | None]:
        expected = {field.name: field for field in wanted.fields}
        fields: list[Field] = []
        changes: list[tuple[str, Change | None]] = []
        for field in written.fields:
            other = expected.pop(field.name, None)
            if other is None:
                fields.append(field)
                continue
            node, change = self.resolve(field.type, other.type, f"{path}.{field.name}")
            fields.append(Field(field.name, node))
            changes.append((field.name, change))
        for field in expected.values():
            if field.default is None:
                raise Malformed(f"{path}.{field.name}", "was not written, and has no default")
        return Record(written.name, tuple(fields)), fieldwise(changes)


def _contradiction(path: str, written: Node, wanted: Node) -> Malformed:
    return Malformed(path, f"was written as {written}, but is read as {wanted}")


def _leaf(written: Leaf, wanted: Leaf, path: str) -> Change | None:
    if written.logical != wanted.logical or (
        written.kind != wanted.kind and (wanted.logical or (written.kind, wanted.kind) not in WIDENING)
    ):
        raise _contradiction(path, written, wanted)
    logical = wanted.logical
    if logical is None or logical.precision is None or logical.scale is None:
        return None
    return _decimal(10**logical.precision, logical.scale)


def _decimal(limit: int, scale: int) -> Change:
    def change(raw: bytes) -> Decimal:
        number = int.from_bytes(raw, "big", signed=True)
        if not raw or not -limit < number < limit:
            message = "a decimal with too many digits"
            raise ValueError(message)
        return Decimal(f"{number}E-{scale}")  # exact whatever the thread's decimal context says

    return change


def _symbols(written: Enumeration, wanted: Enumeration, path: str) -> Change | None:
    if written.name != wanted.name:
        raise _contradiction(path, written, wanted)
    unknown = frozenset(written.symbols) - frozenset(wanted.symbols)
    if not unknown:
        return None
    if wanted.default is None:
        raise Malformed(path, f"has the symbols {', '.join(sorted(unknown))} that {wanted} lacks, and no default")
    return lambda symbol: wanted.default if symbol in unknown else symbol
