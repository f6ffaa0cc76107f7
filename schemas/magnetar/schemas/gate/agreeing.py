"""Do two raw values of two versions of a contract say the same, in whatever both versions have?"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

from magnetar.schemas.shapes import Array, Enumeration, Fixed, Leaf, Logical, Node, Record, Shape, Table, Union


def disagreement(one: Any, other: Any, first: Shape, second: Shape) -> str | None:  # noqa: ANN401 - raw values
    """Return the path of the first difference between values of two versions (see `raw`), or None."""
    return Agreement(first, second).nodes(one, other, first.root, second.root, "$")


class Agreement:
    """One walk over two values and their versions."""

    def __init__(self, first: Shape, second: Shape) -> None:
        """Take the two versions."""
        self._first = first
        self._second = second

    def nodes(self, one: Any, other: Any, first: Node, second: Node, path: str) -> str | None:  # noqa: ANN401
        """Return the path of the first difference, or None."""
        one, first = _chosen(one, first, self._first)
        other, second = _chosen(other, second, self._second)
        match first, second:
            case Record(), Record():
                return self._records(one, other, first, second, path)
            case Array(), Array():
                return self._pairs(list(enumerate(one)), list(enumerate(other)), first.items, second.items, path)
            case Table(), Table():
                return self._pairs(sorted(one.items()), sorted(other.items()), first.values, second.values, path)
            case Leaf(logical=Logical(name="decimal")), Leaf(logical=Logical(name="decimal")):
                return None if _number(one) == _number(other) else path  # the same number in fewer bytes
            case _:
                return None if one == other and type(first) is type(second) else path

    def _records(self, one: Any, other: Any, first: Record, second: Record, path: str) -> str | None:  # noqa: ANN401
        known = {each.name: each.type for each in second.fields}
        for each in first.fields:
            if each.name not in known or one[each.name] == other[each.name]:
                continue  # equal raw values say the same: the types were compared before
            values = one[each.name], other[each.name]
            found = self.nodes(*values, each.type, known[each.name], f"{path}.{each.name}")
            if found is not None:
                return found
        return None

    def _pairs(self, one: list[Any], other: list[Any], first: Node, second: Node, path: str) -> str | None:
        if [name for name, _ in one] != [name for name, _ in other]:
            return path
        pairs = zip(one, other, strict=True)
        found = (self.nodes(mine, yours, first, second, f"{path}[{name}]") for (name, mine), (_, yours) in pairs)
        return next((each for each in found if each is not None), None)


def _chosen(value: Any, node: Node, shape: Shape) -> tuple[Any, Node]:  # noqa: ANN401 - a raw value
    """A value without the name of its union's branch, and the type that it is of."""
    actual = shape.actual(node)
    if not isinstance(actual, Union):
        return value, actual
    if isinstance(value, tuple):
        return value[1], shape.names[str(value[0])]
    branches = [shape.actual(each) for each in actual.branches]
    return value, next((each for each in branches if _is_of(value, each)), branches[0])


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "big", signed=True)


def _is_of(value: Any, node: Node) -> bool:  # noqa: ANN401 - a raw value
    match value, node:
        case (None, Leaf(kind="null")) | (bool(), Leaf(kind="boolean")) | (bytes(), Leaf(kind="bytes") | Fixed()):
            return True
        case (dict(), Record() | Table()) | (list(), Array()) | (str(), Leaf(kind="string") | Enumeration()):
            return True
        case int() | float(), Leaf(kind=kind):
            return not isinstance(value, bool) and kind in {"int", "long", "float", "double"}
        case _:
            return False
