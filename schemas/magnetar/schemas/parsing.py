"""Avro schema text to nodes. Stricter than the specification where it lets a reader go on in doubt.

A broken logical type or a duplicate JSON key is an error here (the specification says to ignore them), because
what is ignored is how amounts change by a factor of a hundred.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Final, TypeVar

from magnetar.schemas.contracts import MOST_DIGITS
from magnetar.schemas.defaults import check_default
from magnetar.schemas.errors import SchemaInvalid
from magnetar.schemas.shapes import (
    PRIMITIVES,
    UPCASTS,
    Array,
    Default,
    Enumeration,
    Field,
    Fixed,
    Json,
    Leaf,
    Logical,
    Named,
    Node,
    Record,
    Reference,
    Shape,
    Table,
    Union,
)

MOST_TEXT: Final = 1 << 20
"""Longest schema text taken, in characters."""

MOST_DEPTH: Final = 64
"""Deepest nesting of types in a schema."""

MOST_FIXED: Final = 5 << 20
"""Largest fixed, in bytes: the largest body."""

N = TypeVar("N", Record, Enumeration, Fixed)

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
FULL_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*", re.ASCII)


def parse(text: str) -> Shape:
    """Return the schema that a text holds, or raise SchemaInvalid naming the place."""
    if len(text) > MOST_TEXT:
        raise SchemaInvalid("$", f"is longer than {MOST_TEXT} characters")
    parser = Parser()
    try:
        root = parser.node(_load(text), "$", "", 0)
    except RecursionError as error:
        raise SchemaInvalid("$", "is nested too deeply") from error
    shape = Shape(root, parser.names, parser.aliases)
    for field, path in parser.defaulted:
        if field.default is not None:
            check_default(field.type, field.default.value, shape, path)
    return shape


def _load(text: str) -> Json:
    try:
        loaded: Json = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except ValueError as error:
        raise SchemaInvalid("$", f"is not JSON: {error}") from error
    return loaded


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "an object has the same key twice"
        raise ValueError(message)
    return found


def _refuse_constant(constant: str) -> Json:
    message = f"{constant} is not a JSON number"
    raise ValueError(message)


class Parser:
    """Walks one schema text; collects the named types and the fields whose defaults are checked at the end."""

    def __init__(self) -> None:
        """Start without names."""
        self.names: dict[str, Named] = {}
        self.aliases: dict[str, tuple[str, ...]] = {}
        self.defaulted: list[tuple[Field, str]] = []
        self._open: set[str] = set()

    def node(self, json: Json, path: str, namespace: str, depth: int) -> Node:
        """Return the node of one JSON schema at a path, names resolved in the enclosing namespace."""
        if depth > MOST_DEPTH:
            raise SchemaInvalid(path, f"is nested deeper than {MOST_DEPTH} levels")
        match json:
            case str():
                return self._by_name(json, path, namespace)
            case list():
                return self._union(json, path, namespace, depth)
            case dict():
                return self._by_type(json, path, namespace, depth)
            case _:
                raise SchemaInvalid(path, f"must be a name, a union or an object, not {json!r}")

    def _by_name(self, name: str, path: str, namespace: str) -> Node:
        if name in PRIMITIVES:
            return Leaf(name)
        full = name if "." in name or not namespace else f"{namespace}.{name}"
        if full not in self.names and full not in self._open:
            raise SchemaInvalid(path, f"the type {full} is not defined before its use")
        return Reference(full)

    def _union(self, json: list[Json], path: str, namespace: str, depth: int) -> Union:
        branches = tuple(self.node(item, f"{path}[{at}]", namespace, depth + 1) for at, item in enumerate(json))
        kinds = [_branch_kind(branch) for branch in branches]
        if "union" in kinds:
            raise SchemaInvalid(path, "a union cannot hold a union directly")
        if twice := _twice(kinds):
            raise SchemaInvalid(path, f"the union holds {', '.join(twice)} more than once")
        if not branches:
            raise SchemaInvalid(path, "the union is empty")
        return Union(branches)

    def _by_type(self, json: dict[str, Json], path: str, namespace: str, depth: int) -> Node:  # noqa: PLR0911
        match json.get("type"):
            case "record" | "error":
                return self._record(json, path, namespace, depth)
            case "enum":
                return self._enumeration(json, path, namespace)
            case "fixed":
                return self._fixed(json, path, namespace)
            case "array":
                return Array(self.node(json.get("items"), f"{path}[]", namespace, depth + 1))
            case "map":
                return Table(self.node(json.get("values"), f"{path}{{}}", namespace, depth + 1))
            case str() as kind if kind in PRIMITIVES:
                return Leaf(kind, _logical(json, path, kind))
            case None:
                raise SchemaInvalid(path, "an object needs a type")
            case inner:
                return self.node(inner, path, namespace, depth + 1)

    def _record(self, json: dict[str, Json], path: str, namespace: str, depth: int) -> Record:
        name, space = self._define(json, path, namespace)
        listed = json.get("fields")
        if not isinstance(listed, list):
            raise SchemaInvalid(path, "a record needs a list of fields")
        self._open.add(name)
        fields = tuple(self._field(field, f"{path}#{at}", path, space, depth) for at, field in enumerate(listed))
        self._open.remove(name)
        if twice := _twice([field.name for field in fields]):
            raise SchemaInvalid(path, f"has the field {', '.join(twice)} more than once")
        return self._named(Record(name, fields, _doc(json), _upcasts(json, path)))

    def _field(self, json: Json, place: str, path: str, namespace: str, depth: int) -> Field:
        if not isinstance(json, dict):
            raise SchemaInvalid(place, "a field must be an object")
        name = json.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise SchemaInvalid(place, f"{name!r} is not a field name")
        path = f"{path}.{name}"
        node = self.node(json.get("type"), path, namespace, depth + 1)
        default = Default(json["default"]) if "default" in json else None
        field = Field(name, node, default, _strings(json, "aliases", path), _doc(json))
        if default is not None:
            self.defaulted.append((field, path))
        return field

    def _enumeration(self, json: dict[str, Json], path: str, namespace: str) -> Enumeration:
        name, _ = self._define(json, path, namespace)
        symbols = _strings(json, "symbols", path)
        if not symbols or len(set(symbols)) != len(symbols):
            raise SchemaInvalid(path, "an enum needs symbols, each once")
        if wrong := [symbol for symbol in symbols if not NAME.fullmatch(symbol)]:
            raise SchemaInvalid(path, f"{wrong[0]!r} is not an enum symbol")
        default = json.get("default")
        if default is not None and (not isinstance(default, str) or default not in symbols):
            raise SchemaInvalid(path, f"the default {default!r} is none of the symbols")
        return self._named(Enumeration(name, symbols, default, _doc(json)))

    def _fixed(self, json: dict[str, Json], path: str, namespace: str) -> Fixed:
        name, _ = self._define(json, path, namespace)
        size = json.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MOST_FIXED:
            raise SchemaInvalid(path, f"a fixed needs a size from 0 to {MOST_FIXED}, not {size!r}")
        return self._named(Fixed(name, size, _logical(json, path, "fixed", size)))

    def _define(self, json: dict[str, Json], path: str, namespace: str) -> tuple[str, str]:
        name, space = json.get("name"), json.get("namespace", namespace)
        if not isinstance(name, str) or not isinstance(space, str):
            raise SchemaInvalid(path, "a named type needs a name")
        full = name if "." in name or not space else f"{space}.{name}"
        if not FULL_NAME.fullmatch(full) or full in PRIMITIVES:
            raise SchemaInvalid(path, f"{full!r} is not a type name")
        if full in self.names or full in self._open:
            raise SchemaInvalid(path, f"{full} is defined twice")
        space = full.rpartition(".")[0]
        other = _strings(json, "aliases", path)
        if other:
            self.aliases[full] = tuple(alias if "." in alias or not space else f"{space}.{alias}" for alias in other)
        return full, space

    def _named(self, node: N) -> N:
        self.names[node.name] = node
        return node


def _branch_kind(node: Node) -> str:
    match node:
        case Leaf(kind=kind):
            return kind
        case Record(name=name) | Enumeration(name=name) | Fixed(name=name) | Reference(name=name):
            return name
        case Array():
            return "array"
        case Table():
            return "map"
        case _:
            return "union"


def _twice(names: list[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def _upcasts(json: dict[str, Json], path: str) -> int:
    count = _integer(json.get(UPCASTS, 0))
    if count < 0:
        raise SchemaInvalid(path, f"{UPCASTS} must be a number, not {json[UPCASTS]!r}")
    return count


def _doc(json: dict[str, Json]) -> str | None:
    doc = json.get("doc")
    return doc if isinstance(doc, str) else None


def _strings(json: dict[str, Json], key: str, path: str) -> tuple[str, ...]:
    listed = json.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise SchemaInvalid(path, f"{key} must be a list of names")
    return tuple(str(item) for item in listed)


def _logical(json: dict[str, Json], path: str, kind: str, size: int | None = None) -> Logical | None:
    name = json.get("logicalType")
    if name is None:
        return None
    if not isinstance(name, str):
        raise SchemaInvalid(path, f"the logical type must be a name, not {name!r}")
    if name != "decimal":
        return Logical(name)
    precision, scale = _integer(json.get("precision")), _integer(json.get("scale", 0))
    most = min(MOST_DIGITS, _digits(size) if size is not None else MOST_DIGITS)
    if kind not in {"bytes", "fixed"} or not 1 <= precision <= most or not 0 <= scale <= precision:
        raise SchemaInvalid(path, f"decimal({json.get('precision')}, {json.get('scale', 0)}) is not possible on {kind}")
    return Logical(name, precision, scale)


def _integer(value: Json) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _digits(size: int) -> int:
    """Return how many decimal digits always fit into a fixed of a size in bytes."""
    return int((8 * min(size, MOST_DIGITS) - 1) * math.log10(2))
