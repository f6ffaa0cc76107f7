"""Random schemas, random changes of them (good and bad ones), and random values, all from one seed."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from random import Random
from typing import Any

LEAVES: list[Any] = [
    "boolean",
    "int",
    "long",
    "float",
    "double",
    "bytes",
    "string",
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "int", "logicalType": "date"},
    {"type": "string", "logicalType": "uuid"},
    *({"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": scale} for scale in (0, 2, 4)),
]
ENDS = {"boolean": False, "int": 0, "long": 0, "float": 0.5, "double": 0.5, "bytes": "\x00", "string": ""}


@dataclass
class Site:
    """A place in a schema where a type stands: ``parent[key]``."""

    parent: Any
    key: Any

    @property
    def type(self) -> Any:
        """The type that stands there."""
        return self.parent[self.key]

    def put(self, type_: Any) -> None:
        """Put another one there; where a field's default does not fit it, that goes."""
        self.parent[self.key] = type_
        if self.key == "type" and "default" in self.parent:
            self.parent["default"] = default_of(type_)


class Maker:
    """Makes schemas, changes and values."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._names = 0

    def name(self, stem: str) -> str:
        """A name that no other thing has."""
        self._names += 1
        return f"{stem}{self._names}"

    def record(self, depth: int = 2) -> dict[str, Any]:
        """A record with some fields."""
        fields = [self.field(depth) for _ in range(self.random.randint(1, 4))]
        return {"type": "record", "name": self.name("R"), "namespace": "shop", "fields": fields}

    def field(self, depth: int, *, default: bool | None = None) -> dict[str, Any]:
        """A documented field, with a default or without."""
        type_ = self.type(depth)
        field = {"name": self.name("f"), "type": type_, "doc": self.name("what it is ")}
        if default if default is not None else self.random.random() < 0.6:
            field["default"] = default_of(type_)
        return field

    def type(self, depth: int) -> Any:
        """Any type."""
        nested = ["array", "map", "record"] if depth else []
        made = self._inner(self.random.choice(["leaf", "leaf", "leaf", "enum", *nested]), depth)
        return ["null", made] if self.random.random() < 0.25 else made

    def _inner(self, kind: str, depth: int) -> Any:
        match kind:
            case "leaf":
                return copy.deepcopy(self.random.choice(LEAVES))
            case "enum":
                symbols = [self.name("s") for _ in range(self.random.randint(1, 3))]
                return {
                    "type": "enum",
                    "name": self.name("E"),
                    "namespace": "shop",
                    "symbols": symbols,
                    "default": symbols[0],
                }
            case "array":
                return {"type": "array", "items": self.type(depth - 1)}
            case "map":
                return {"type": "map", "values": self.type(depth - 1)}
            case _:
                return self.record(depth - 1)

    def changed(self, schema: Any) -> Any:
        """The schema with one change somewhere in it; many of them are bad."""
        new = copy.deepcopy(schema)
        records = [site for site in [Site([new], 0), *sites(new)] if is_a(site.type, "record")]
        types = list(sites(new))
        if self.random.random() < 0.5 or not types:
            self._change_fields(self.random.choice(records).type["fields"])
        else:
            self._change_type(self.random.choice(types))
        return new

    def _change_fields(self, fields: list[Any]) -> None:
        at = self.random.randrange(len(fields))
        match self.random.choice(["add", "add", "bare", "drop", "rename", "order", "default", "undefault", "doc"]):
            case "add":
                fields.insert(at, self.field(1, default=True))
            case "bare":
                fields.append(self.field(1, default=False))
            case "drop" if len(fields) > 1:
                del fields[at]
            case "rename":
                fields[at]["name"] = self.name("f")
            case "order":
                self.random.shuffle(fields)
            case "default":
                fields[at]["default"] = default_of(fields[at]["type"], other=self.random.random() < 0.5)
            case "undefault":
                fields[at].pop("default", None)
            case _:
                fields[at]["doc"] = self.name("what else it is ")

    def _change_type(self, site: Site) -> None:
        type_ = site.type
        if is_a(type_, "enum") and self.random.random() < 0.8:
            self._change_enum(type_)
        elif is_a(type_, "record"):
            key = self.random.choice(["name", "namespace"])
            type_[key] = self.name("n")
        elif isinstance(type_, list) and self.random.random() < 0.7:
            site.put(self.random.choice([type_[1], [type_[1], type_[0]]]))
        elif isinstance(site.parent, list):
            site.put(self._inner("leaf", 0))
        else:
            site.put(self.random.choice([self.type(0), type_ if isinstance(type_, list) else ["null", type_]]))

    def _change_enum(self, enum: dict[str, Any]) -> None:
        symbols: list[str] = enum["symbols"]
        match self.random.choice(["append", "append", "insert", "drop", "shuffle", "default"]):
            case "append":
                symbols.append(self.name("s"))
            case "insert":
                symbols.insert(0, self.name("s"))
            case "drop" if len(symbols) > 1:
                symbols.pop()
            case "shuffle":
                self.random.shuffle(symbols)
            case _:
                enum["default"] = self.random.choice(symbols)

    def value(self, type_: Any) -> Any:
        """A raw value of a type."""
        match type_:
            case list():
                return (
                    None if self.random.random() < 0.3 else self.value(next(each for each in type_ if each != "null"))
                )
            case {"type": "record", "fields": fields}:
                return {each["name"]: self.value(each["type"]) for each in fields}
            case {"type": "enum", "symbols": symbols}:
                return self.random.choice(symbols)
            case {"type": "array", "items": items}:
                return [self.value(items) for _ in range(self.random.randint(0, 2))]
            case {"type": "map", "values": values}:
                return {f"k{at}": self.value(values) for at in range(self.random.randint(0, 2))}
            case _:
                return self._leaf(type_ if isinstance(type_, str) else type_["type"], type_)

    def _leaf(self, kind: str, type_: Any) -> Any:  # noqa: PLR0911 - one case per kind
        logical: Any = type_.get("logicalType") if isinstance(type_, dict) else None
        match kind, logical:
            case "string", "uuid":
                return (
                    f"{self.random.getrandbits(128):032x}"[:8]
                    + "-0000-4000-8000-"
                    + f"{self.random.getrandbits(48):012x}"
                )
            case "bytes", "decimal":
                return self.random.randint(-(10**5), 10**5).to_bytes(3, "big", signed=True)
            case "boolean", _:
                return self.random.random() < 0.5
            case "int" | "long", _:
                return self.random.randint(-(2**17), 2**17) if kind == "int" else self.random.randint(-(2**40), 2**40)
            case "float" | "double", _:
                return self.random.randint(-1000, 1000) / 8
            case "bytes", _:
                return self.random.randbytes(self.random.randint(0, 3))
            case _:
                return self.random.choice(["", "a", "ž€", "long text"])


def sites(node: Any) -> list[Site]:
    """Every place below a schema where a type stands."""
    found: list[Site] = []
    if isinstance(node, list):
        found += [Site(node, at) for at, each in enumerate(node) if each != "null"]
    elif is_a(node, "record"):
        found += [Site(field, "type") for field in node["fields"]]
    elif is_a(node, "array") or is_a(node, "map"):
        found.append(Site(node, "items" if is_a(node, "array") else "values"))
    return found + [inner for site in found for inner in sites(site.type)]


def is_a(node: Any, kind: str) -> bool:
    """Whether a schema is of a kind."""
    return isinstance(node, dict) and node.get("type") == kind


def default_of(type_: Any, *, other: bool = False) -> Any:  # noqa: PLR0911 - one case per kind
    """A default of a type as JSON: the least value, or another one."""
    match type_:
        case list():
            return default_of(type_[0], other=other)
        case "null":
            return None
        case {"type": "record", "fields": fields}:
            return {each["name"]: default_of(each["type"], other=other) for each in fields}
        case {"type": "enum", "symbols": symbols}:
            return symbols[-1 if other else 0]
        case {"type": "array"}:
            return []
        case {"type": "map"}:
            return {}
        case {"logicalType": "uuid"}:
            return "00000000-0000-4000-8000-000000000000"
        case _:
            kind = type_ if isinstance(type_, str) else type_["type"]
            return {"int": 7, "long": 7, "string": "other"}.get(kind, ENDS[kind]) if other else ENDS[kind]


def text_of(schema: Any) -> str:
    """A schema as a file holds it."""
    return json.dumps(schema, indent=1) + "\n"
