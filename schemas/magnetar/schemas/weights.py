"""How much a value of a type can be: the least bytes it takes, and whether few bytes can stand for very much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from magnetar.schemas.shapes import Array, Fixed, Leaf, Named, Node, Record, Reference, Union, children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LEAST_BYTES: Final = {"null": 0, "float": 4, "double": 8}

MOST_PARTS: Final = 10_000
"""A type with more parts than this (its named types written out) is walked with counting, as if it had no end."""


class Weights:
    """Answers about the types of one schema; each named type is looked at once."""

    def __init__(self, names: Mapping[str, Named]) -> None:
        """Take the named types."""
        self._names = names
        self._least: dict[str, int] = {}
        self._parts: dict[str, int] = {}

    def least(self, node: Node) -> int:
        """Return a lower bound of the bytes that a value takes (a type inside itself counts as 0)."""
        match node:
            case Leaf(kind=kind):
                return LEAST_BYTES.get(kind, 1)
            case Fixed(size=size):
                return size
            case Record(fields=fields):
                return sum(self.least(field.type) for field in fields)
            case Union(branches=branches):
                return 1 + min(self.least(branch) for branch in branches)
            case Reference(name=name):
                return _once(name, self._least, self.least, self._names, inside=0)
            case _:
                return 1

    def parts(self, node: Node) -> int:
        """Return how many parts a type has when every reference is written out; without end counts as too many."""
        if isinstance(node, Reference):
            return _once(node.name, self._parts, self.parts, self._names, inside=MOST_PARTS + 1)
        return min(1 + sum(self.parts(child) for child in children(node)), MOST_PARTS + 1)

    def is_careful(self, node: Node) -> bool:
        """Return whether values must be counted however few bytes they have.

        So it is with a type that contains itself, one with very many parts, and an array of items that take no bytes.
        """
        return self.parts(node) > MOST_PARTS or any(map(self._is_of_weightless_items, self._within(node)))

    def _is_of_weightless_items(self, node: Node) -> bool:
        return isinstance(node, Array) and self.least(node.items) == 0

    def _within(self, node: Node) -> Iterator[Node]:
        """A type and all that it is made of, each named type once."""
        waiting, seen = [node], set[str]()
        while waiting:
            each = waiting.pop()
            if isinstance(each, Reference):
                if each.name in seen:
                    continue
                seen.add(each.name)
                each = self._names[each.name]
            yield each
            waiting += children(each)


def _once(
    name: str,
    found: dict[str, int],
    measure: Callable[[Node], int],
    names: Mapping[str, Named],
    *,
    inside: int,
) -> int:
    if name not in found:
        found[name] = inside
        found[name] = measure(names[name])
    return found[name]
