"""A schema as it travels: its text, its full name, and a fingerprint that tells whether two write the same bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from magnetar.schemas.errors import SchemaInvalid
from magnetar.schemas.parsing import parse
from magnetar.schemas.shapes import (
    UPCASTS,
    Array,
    Enumeration,
    Field,
    Fixed,
    Json,
    Leaf,
    Logical,
    Node,
    Record,
    Reference,
    Shape,
    Table,
    Union,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


MOST_PARSED: Final = 4096
"""Parsed schemas of so many texts are kept: more than an app has versions, all of which the gate looks at."""


@dataclass(frozen=True, slots=True)
class Schema:
    """An Avro schema. Two are equal when their fingerprints are.

    The fingerprint is the first 16 bytes, in hex, of the SHA-256 over canonical JSON. Unlike Avro's own
    "parsing canonical form" it keeps what changes a value's meaning: logical types with precision and scale,
    sizes, defaults, aliases and the number of upcasts. Only documentation and foreign attributes are dropped.
    """

    text: str = field(compare=False, repr=False)
    fingerprint: str
    name: str
    shape: Shape = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Schema:
        """Return the schema in an Avro JSON text, or raise SchemaInvalid. Remembered: a worker's start parses tens."""
        return _parsed(text)

    @property
    def record(self) -> Record:
        """The root as a record; SchemaInvalid for any other schema."""
        if not isinstance(self.shape.root, Record):
            raise SchemaInvalid("$", f"{self.name} is not a record")
        return self.shape.root


@lru_cache(maxsize=MOST_PARSED)
def _parsed(text: str) -> Schema:
    shape = parse(text)
    root = shape.root
    name = root.name if isinstance(root, Record | Enumeration | Fixed) else str(root)
    return Schema(text, fingerprint_of(shape), name, shape)


def fingerprint_of(shape: Shape) -> str:
    """Return 32 hex digits over the canonical JSON of a schema."""
    canonical = json.dumps(Canonical(shape.aliases).json(shape.root), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()[:16].hex()


class Canonical:
    """Writes nodes as JSON in one way only."""

    def __init__(self, aliases: Mapping[str, tuple[str, ...]]) -> None:
        """Take the other names that the schema gives its types."""
        self._aliases = aliases

    def json(self, node: Node) -> Json:  # noqa: PLR0911 - one case per kind of node
        """Return the canonical JSON of a node."""
        match node:
            case Leaf(kind=kind, logical=None):
                return kind
            case Leaf(kind=kind, logical=Logical() as logical):
                return {"type": kind, **_logical(logical)}
            case Array(items=items):
                return {"type": "array", "items": self.json(items)}
            case Table(values=values):
                return {"type": "map", "values": self.json(values)}
            case Union(branches=branches):
                return [self.json(branch) for branch in branches]
            case Reference(name=name):
                return name
            case Record() | Enumeration() | Fixed():
                return self._named(node)
            case _:
                raise SchemaInvalid("$", f"{node} has no JSON")

    def _named(self, node: Record | Enumeration | Fixed) -> dict[str, Json]:
        named: dict[str, Json] = {"name": node.name, **_listed("aliases", self._aliases.get(node.name, ()))}
        match node:
            case Record(fields=fields):
                behind: dict[str, Json] = {UPCASTS: node.upcasts} if node.upcasts else {}
                return {"type": "record", **named, **behind, "fields": [self._field(each) for each in fields]}
            case Enumeration(symbols=symbols, default=default):
                rest: dict[str, Json] = {} if default is None else {"default": default}
                return {"type": "enum", **named, "symbols": symbols, **rest}
            case Fixed(size=size, logical=logical):
                return {"type": "fixed", **named, "size": size, **({} if logical is None else _logical(logical))}

    def _field(self, each: Field) -> dict[str, Json]:
        rest: dict[str, Json] = {} if each.default is None else {"default": each.default.value}
        return {"name": each.name, "type": self.json(each.type), **_listed("aliases", each.aliases), **rest}


def _logical(logical: Logical) -> dict[str, Json]:
    if logical.precision is None:
        return {"logicalType": logical.name}
    return {"logicalType": logical.name, "precision": logical.precision, "scale": logical.scale}


def _listed(key: str, names: Iterable[str]) -> dict[str, Json]:
    return {key: sorted(names)} if names else {}
