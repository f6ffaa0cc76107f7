"""What has changed between two versions of a schema, and whom each change breaks.

*New readers* are readers of the later version that meet what the earlier one wrote: stored states, parked and dead
messages, timers, whatever a topic still holds. *Old readers* meet what the later version writes: workers of the
release before, while a rolling update lasts or after going back.

Stricter than Avro's own resolution where that lets a value change its meaning, and strict about places on the wire
(the order of a union or an enum): a reader that cannot have the writer's schema would take one thing for another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from magnetar.schemas.resolution import WIDENING
from magnetar.schemas.shapes import (
    Array,
    Enumeration,
    Field,
    Fixed,
    Leaf,
    Logical,
    Node,
    Record,
    Shape,
    Table,
    Union,
)

INEXACT: Final = frozenset({("int", "float"), ("long", "float"), ("long", "double")})
"""Promotions that Avro has and Magnetar refuses, as a number could change."""

UNITS: Final = ("-millis", "-micros", "-nanos")


@dataclass(frozen=True, slots=True)
class Difference:
    """One change: the rule it breaks, where, what it is, and which readers it breaks."""

    rule: str
    path: str
    reason: str
    old_readers: bool = False
    new_readers: bool = False


@dataclass(slots=True)
class Compared:
    """All differences of two versions, and the paths of fields and symbols that only the later one has."""

    differences: list[Difference] = field(default_factory=list)
    added: set[str] = field(default_factory=set)
    symbols: set[str] = field(default_factory=set)


def compare(old: Shape, new: Shape, apart: Collection[str] = ()) -> Compared:
    """Return what differs between an earlier and a later version; records named `apart` are compared elsewhere."""
    comparison = Comparison(old, new, apart)
    comparison.compared.differences += comparison.nodes(old.root, new.root, "$")
    return comparison.compared


class Comparison:
    """One walk over two versions at once; each pair of named types is compared where it is met first."""

    def __init__(self, old: Shape, new: Shape, apart: Collection[str]) -> None:
        """Take the two versions."""
        self._old = old
        self._new = new
        self._seen = set(apart)
        self.compared = Compared()

    def nodes(self, old: Node, new: Node, path: str) -> Iterator[Difference]:
        """Yield what differs between two types at a path."""
        was, now = self._old.actual(old), self._new.actual(new)
        match was, now:
            case (Union(), _) | (_, Union()):
                yield from self._unions(was, now, path)
            case Leaf(), Leaf():
                yield from _leaves(was, now, path)
            case Array(), Array():
                yield from self.nodes(was.items, now.items, f"{path}[]")
            case Table(), Table():
                yield from self.nodes(was.values, now.values, f"{path}{{}}")
            case Fixed(), Fixed():
                yield from _fixed(was, now, path)
            case Enumeration(), Enumeration():
                self.compared.symbols |= {f"{path}={symbol}" for symbol in now.symbols if symbol not in was.symbols}
                yield from _enumerations(was, now, path)
            case Record(), Record():
                yield from self._records(was, now, path)
            case _:
                yield _both("type-changed", path, f"{was} has become {now}")

    def _unions(self, old: Node, new: Node, path: str) -> Iterator[Difference]:
        was, now = _branches(old, self._old), _branches(new, self._new)
        pairs = {name: name for name in was if name in now}
        one, other = _only(was), _only(now)
        plain = one is not None and other is not None
        if one is not None and other is not None:
            pairs[one] = other
        for name, partner in pairs.items():
            yield from self.nodes(was[name], now[partner], path if plain else f"{path}<{name}>")
        yield from (_gone(name, path) for name in was if name not in pairs)
        yield from (_come(name, path) for name in now if name not in pairs.values())
        kept = [pairs[name] for name in was if name in pairs]
        if isinstance(old, Union) and isinstance(new, Union) and list(now)[: len(kept)] != kept:
            yield _both("union-order", path, f"the union [{', '.join(was)}] has become [{', '.join(now)}]")

    def _records(self, old: Record, new: Record, path: str) -> Iterator[Difference]:
        if old.name != new.name:
            yield _renamed(old.name, new.name, path)
            return
        if old.name in self._seen:
            return
        self._seen.add(old.name)
        was, now = {each.name: each for each in old.fields}, {each.name: each for each in new.fields}
        for name, each in was.items():
            if name in now:
                yield from self._fields(each, now[name], f"{path}.{name}")
        gone = [each for name, each in was.items() if name not in now]
        come = [each for name, each in now.items() if name not in was]
        renamed = {new.name: old.name for old in gone for new in come if _is_renamed(old, new, was, now)}
        for each in come:
            self.compared.added.add(f"{path}.{each.name}")
            yield from _added(each, renamed.get(each.name), f"{path}.{each.name}")
        yield from (_removed(each, f"{path}.{each.name}") for each in gone if each.default is None)

    def _fields(self, old: Field, new: Field, path: str) -> Iterator[Difference]:
        inside = list(self.nodes(old.type, new.type, path))
        yield from inside
        if not inside and old.default is not None and new.default is not None and old.default != new.default:
            was, now = old.default.value, new.default.value
            yield _both("default-changed", path, f"the default {was!r} has become {now!r}")


def _both(rule: str, path: str, reason: str) -> Difference:
    return Difference(rule, path, reason, old_readers=True, new_readers=True)


def _renamed(old: str, new: str, path: str) -> Difference:
    moved = old.rpartition(".")[2] == new.rpartition(".")[2]
    return _both("namespace-changed" if moved else "name-changed", path, f"{old} has become {new}")


def _leaves(old: Leaf, new: Leaf, path: str) -> Iterator[Difference]:
    reason = f"{old} has become {new}"
    if old.kind == new.kind:
        yield from _logical(old.logical, new.logical, path, reason)
    elif old.logical or new.logical:
        yield _both("type-changed", path, reason)
    elif (old.kind, new.kind) in WIDENING:
        yield Difference("number-widened", path, reason, old_readers=True)
    elif (new.kind, old.kind) in WIDENING:
        yield Difference("number-narrowed", path, reason, new_readers=True)
    elif {(old.kind, new.kind), (new.kind, old.kind)} & INEXACT:
        yield _both("number-inexact", path, f"{reason}, which cannot hold every value of the other")
    else:
        yield _both("text-bytes" if {old.kind, new.kind} == {"string", "bytes"} else "type-changed", path, reason)


def _logical(old: Logical | None, new: Logical | None, path: str, reason: str) -> Iterator[Difference]:
    if old == new:
        return
    if old is None or new is None or old.name != new.name:
        of_time = old is not None and new is not None and _stem(old) == _stem(new) is not None
        yield _both("time-unit" if of_time else "logical-type", path, reason)
    elif old.scale != new.scale:
        amounts = f"{Decimal(f'1234E-{old.scale}')} written by one is {Decimal(f'1234E-{new.scale}')} to the other"
        yield _both("decimal-scale", path, f"{reason}: {amounts}")
    else:
        yield _both("decimal-precision", path, reason)


def _stem(logical: Logical) -> str | None:
    """`timestamp` of ``timestamp-millis``; None where there is no unit."""
    return next((logical.name.removesuffix(unit) for unit in UNITS if logical.name.endswith(unit)), None)


def _fixed(old: Fixed, new: Fixed, path: str) -> Iterator[Difference]:
    if old.name != new.name:
        yield _renamed(old.name, new.name, path)
    elif old.size != new.size:
        yield _both("fixed-size", path, f"{old} has become {new}")
    yield from _logical(old.logical, new.logical, path, f"{old} has become {new}")


def _enumerations(old: Enumeration, new: Enumeration, path: str) -> Iterator[Difference]:
    if old.name != new.name:
        yield _renamed(old.name, new.name, path)
        return
    gone = [symbol for symbol in old.symbols if symbol not in new.symbols]
    come = [symbol for symbol in new.symbols if symbol not in old.symbols]
    if gone:
        fate = "cannot be read" if new.default is None else f"is read as {new.default}"
        yield Difference(
            "enum-symbol-removed", path, f"{', '.join(gone)} is gone from {old}: it {fate}", new_readers=True
        )
    if come and old.default is None:
        yield Difference(
            "enum-symbol-added", path, f"{', '.join(come)} is new in {old}, which had no default", old_readers=True
        )
    if old.default is not None and new.default is not None and old.default != new.default:
        yield _both("enum-default", path, f"an unknown symbol of {old} was {old.default} and has become {new.default}")
    kept = [symbol for symbol in old.symbols if symbol in new.symbols]
    if list(new.symbols[: len(kept)]) != kept:
        yield _both("enum-order", path, f"the symbols of {old} are in another order, or one was put between them")


def _branches(node: Node, shape: Shape) -> dict[str, Node]:
    nodes = node.branches if isinstance(node, Union) else (node,)
    return {_kind(shape.actual(each)): each for each in nodes}


def _kind(node: Node) -> str:
    match node:
        case Leaf(kind=kind):
            return kind
        case Record(name=name) | Enumeration(name=name) | Fixed(name=name):
            return name
        case Array():
            return "array"
        case _:
            return "map"


def _only(branches: dict[str, Node]) -> str | None:
    """The one branch that is not null, where there is one."""
    names = [name for name in branches if name != "null"]
    return names[0] if len(names) == 1 else None


def _gone(name: str, path: str) -> Difference:
    if name == "null":
        return Difference("made-required", path, "it can no longer be null", new_readers=True)
    return Difference("union-branch-removed", f"{path}<{name}>", f"the union has no {name} any more", new_readers=True)


def _come(name: str, path: str) -> Difference:
    if name == "null":
        return Difference("made-optional", path, "it can be null now", old_readers=True)
    return Difference("union-branch-added", f"{path}<{name}>", f"the union has {name} as well", old_readers=True)


def _is_renamed(old: Field, new: Field, was: dict[str, Field], now: dict[str, Field]) -> bool:
    """By its alias, or as it stands at the same place with the same type, default and documentation."""
    if old.name in new.aliases:
        return True
    same_place = list(was).index(old.name) == list(now).index(new.name)
    return same_place and old.doc is not None and (old.type, old.default, old.doc) == (new.type, new.default, new.doc)


def _added(new: Field, before: str | None, path: str) -> Iterator[Difference]:
    if before is not None:
        yield _both("field-renamed", path, f"{before} has become {new.name}; what {before} holds is not taken over")
    if new.default is None:
        yield Difference("field-added", path, "is new and has no default", new_readers=True)


def _removed(old: Field, path: str) -> Difference:
    return Difference("field-removed", path, f"{old.name} is gone, and had no default", old_readers=True)
