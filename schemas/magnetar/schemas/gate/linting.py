"""What is wrong with one version by itself, before anything depends on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from magnetar.schemas.shapes import Array, Enumeration, Field, Leaf, Node, Record, Shape, Table, Union

MONEY: Final = frozenset(
    {
        "amount",
        "balance",
        "bonus",
        "charge",
        "cost",
        "credit",
        "debit",
        "deposit",
        "discount",
        "fee",
        "fare",
        "margin",
        "money",
        "paid",
        "payment",
        "price",
        "refund",
        "revenue",
        "salary",
        "subtotal",
        "tax",
        "total",
        "turnover",
        "vat",
        "wage",
    }
)
"""A float with one of these words in its name is taken for money."""

WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong in a version."""

    rule: str
    path: str
    reason: str
    breaks: str


def flaws(shape: Shape) -> Iterator[Flaw]:
    """Yield every flaw of a schema; a named type's are told where it is met first."""
    for name, aliases in shape.aliases.items():
        yield _alias(f"{name} has the alias {', '.join(aliases)}", "$")
    yield from Inspection(shape).node(shape.root, "$", "")


class Inspection:
    """One walk over one version."""

    def __init__(self, shape: Shape) -> None:
        """Take the version."""
        self._shape = shape
        self._seen: set[str] = set()

    def node(self, node: Node, path: str, name: str) -> Iterator[Flaw]:
        """Yield the flaws of a type; `name` is that of the field that holds it."""
        match actual := self._shape.actual(node):
            case Record():
                yield from self._record(actual, path)
            case Array(items=inner):
                yield from self.node(inner, f"{path}[]", name)
            case Table(values=inner):
                yield from self.node(inner, f"{path}{{}}", name)
            case Union(branches=branches):
                for branch in branches:
                    yield from self.node(branch, path, name)
            case Enumeration(default=None):
                yield Flaw(
                    "enum-no-default", path, f"{actual} has no default", "the next symbol: no old reader takes it"
                )
            case Leaf(kind="float" | "double") if _is_money(name):
                yield Flaw(
                    "money-double", path, f"is money in a {actual}", "amounts: sums and comparisons are off by cents"
                )
            case _:
                pass

    def _record(self, record: Record, path: str) -> Iterator[Flaw]:
        if record.name in self._seen:
            return
        self._seen.add(record.name)
        for field in record.fields:
            yield from self._field(field, f"{path}.{field.name}", record)

    def _field(self, field: Field, path: str, record: Record) -> Iterator[Flaw]:
        if field.aliases:
            yield _alias(f"has the alias {', '.join(field.aliases)}", path)
        if not field.doc:
            yield Flaw("doc-missing", path, "has no doc", "whoever reads it later, or elsewhere, has to guess")
        plain = field.name in {"value", "number", "sum"}
        yield from self.node(field.type, path, record.name.rpartition(".")[2] if plain else field.name)


def _is_money(name: str) -> bool:
    words = {word.lower() for word in WORD.findall(name)}
    return bool(MONEY & (words | {word.removesuffix("s") for word in words}))


def _alias(reason: str, path: str) -> Flaw:
    return Flaw("alias", path, reason, "readers that honour it read another field than readers that do not")
