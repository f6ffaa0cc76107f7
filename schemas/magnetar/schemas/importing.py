"""Foreign Avro schemas to Python: the source of contract types that read and write the very same records."""

from __future__ import annotations

import builtins
import keyword
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from magnetar.schemas.contracts import Money
from magnetar.schemas.derivation import schema_of
from magnetar.schemas.errors import SchemaUnsupported
from magnetar.schemas.literals import docstring, literal, member, simple
from magnetar.schemas.schema import Schema
from magnetar.schemas.shapes import (
    Array,
    Enumeration,
    Field,
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

if TYPE_CHECKING:
    from collections.abc import Mapping

Base: TypeAlias = Literal["Command", "Event", "Record", "State", "Timer"]

LEAVES: Final[Mapping[tuple[str, str | None], str]] = {
    ("boolean", None): "bool",
    ("int", None): "Int32",
    ("long", None): "int",
    ("float", None): "Float32",
    ("double", None): "float",
    ("string", None): "str",
    ("bytes", None): "bytes",
    ("string", "uuid"): "UUID",
    ("long", "timestamp-micros"): "datetime",
    ("long", "timestamp-millis"): "Millis",
    ("int", "date"): "date",
}

SOURCES: Final[Mapping[str, str]] = {
    "enum": "import enum",
    "Mapping": "from collections.abc import Mapping",
    "date": "from datetime import date",
    "datetime": "from datetime import datetime",
    "Decimal": "from decimal import Decimal",
    "Annotated": "from typing import Annotated",
    "UUID": "from uuid import UUID",
    "field": "from msgspec import field",
}
"""Where the names in the made source come from; any other is one of ours."""

LIBRARY: Final = frozenset({"enum", "Mapping", "date", "datetime", "Decimal", "Annotated", "UUID"})
TAKEN: Final = frozenset({*SOURCES, *dir(builtins), "Digits", "Doc", "Int32", "Float32", "Millis", "Money", "Record"})


def python_source(text: str, base: Base = "Event") -> str:
    """Return a Python module with a contract type for every record and enum of an Avro schema.

    The outermost record gets the base class named; where the schema is one of a topic (a record whose only field,
    `body`, is a union of records), each of the union's records does. Raises SchemaInvalid for a broken schema and
    SchemaUnsupported, with the path, for what no contract type can express.
    """
    schema = Schema.parse(text)
    return Source(schema.shape, base).module()


class Source:
    """Writes the source of one schema."""

    def __init__(self, shape: Shape, base: Base) -> None:
        """Take the schema, and the base of its outermost records."""
        self._shape = shape
        self._base: str = base
        self._classes: dict[str, list[str]] = {}
        self._used: set[str] = set()
        self._names: dict[str, str] = {}
        self._taken = TAKEN | {simple(name) for name in shape.names}

    def module(self) -> str:
        """Return the whole module."""
        for name in self._shape.aliases:
            raise SchemaUnsupported(name, "has aliases; contract types have one name")
        bodies = _bodies(self._shape)
        for body in bodies:
            self._define(body, self._base, "$")
        classes = ["\n".join(lines) for lines in self._classes.values()]
        head = ['"""Contract types made from an Avro schema."""', "", "from __future__ import annotations", ""]
        return "\n".join([*head, *self._imports(), "", "", "\n\n\n".join(classes), ""])

    def _imports(self) -> list[str]:
        library = [SOURCES[name] for name in sorted(self._used & LIBRARY, key=SOURCES.__getitem__)]
        plain = [line for line in library if line.startswith("import")]
        library = plain + [line for line in library if line not in plain]
        other = ["", SOURCES["field"]] if "field" in self._used else []
        ours = sorted(self._used - LIBRARY - {"field"})
        return [*library, *other, "", f"from magnetar.schemas import {', '.join(ours)}"] if ours else [*library, *other]

    def _define(self, node: Named, base: str, path: str) -> str:
        name = simple(node.name)
        if node == schema_of(Money).record:
            self._used.add("Money")
            self._names[node.name] = "Money"
            return "Money"
        if name in TAKEN or name == base or keyword.iskeyword(name) or name in self._classes:
            raise SchemaUnsupported(path, f"{node.name}: there is another {name} in the module; import it apart")
        self._names[node.name] = name
        match node:
            case Record():
                self._classes[name] = []  # known from here on, so that it may refer to itself
                lines = self._record(node, base, path)
                del self._classes[name]  # behind the types that it uses
                self._classes[name] = lines
            case Enumeration():
                self._classes[name] = self._enumeration(node, path)
            case _:
                raise SchemaUnsupported(path, f"{node} has no contract type")
        return name

    def _record(self, node: Record, base: str, path: str) -> list[str]:
        self._used.add(base)
        fields = [self._field(field, f"{path}.{field.name}") for field in node.fields]
        head = [f"class {simple(node.name)}({base}):", *docstring(node.doc, "    ")]
        return [*head, _namespace(node.name), "", *fields]

    def _enumeration(self, node: Enumeration, path: str) -> list[str]:
        if node.default not in {None, node.symbols[0]}:
            raise SchemaUnsupported(
                path, f"{node} falls back to {node.default}; a contract's enum does to its first member"
            )
        self._used.add("enum")
        members = [f'    {member(symbol)} = "{symbol}"' for symbol in node.symbols]
        head = [f"class {simple(node.name)}(enum.Enum):", *docstring(node.doc, "    ")]
        return [*head, _namespace(node.name), "", *members]

    def _field(self, field: Field, path: str) -> str:
        if field.name in self._taken or keyword.iskeyword(field.name) or field.name.startswith("__") or field.aliases:
            raise SchemaUnsupported(path, "has aliases, or a name that a Python field cannot have")
        hint = self._hint(field.type, path)
        if field.doc:
            self._used |= {"Annotated", "Doc"}
            hint = f"Annotated[{hint}, Doc({field.doc!r})]"
        return f"    {field.name}: {hint}{self._default(field, path)}"

    def _default(self, field: Field, path: str) -> str:
        if field.default is None:
            return ""
        source = literal(field.type, field.default.value, self._shape, path)
        for name in ("Decimal", "datetime", "date", "UUID"):
            if f"{name}(" in source or f"{name}.from" in source:
                self._used.add(name)
        if source.startswith("{") and source != "{}":
            self._used.add("field")
            return f" = field(default_factory=lambda: {source})"
        return f" = {source}"

    def _hint(self, node: Node, path: str) -> str:
        match node:
            case Leaf():
                return self._leaf(node, path)
            case Array(items=items):
                return f"tuple[{self._hint(items, f'{path}[]')}, ...]"
            case Table(values=values):
                self._used.add("Mapping")
                return f"Mapping[str, {self._hint(values, f'{path}{{}}')}]"
            case Union(branches=branches):
                return self._optional(branches, path)
            case Reference(name=name):
                return self._reference(name, path)
            case Record() | Enumeration():
                return self._define(node, "Record", path)
            case _:
                raise SchemaUnsupported(path, f"{node} has no contract type")

    def _leaf(self, leaf: Leaf, path: str) -> str:
        if isinstance(leaf.logical, Logical) and leaf.logical.name == "decimal":
            self._used |= {"Annotated", "Decimal", "Digits"}
            return f"Annotated[Decimal, Digits(precision={leaf.logical.precision}, scale={leaf.logical.scale})]"
        name = LEAVES.get((leaf.kind, leaf.logical.name if leaf.logical else None))
        if name is None:
            raise SchemaUnsupported(path, f"{leaf} has no contract type")
        if name not in dir(builtins):
            self._used.add(name)
        return name

    def _optional(self, branches: tuple[Node, ...], path: str) -> str:
        inner = [branch for branch in branches if branch != Leaf("null")]
        if len(inner) != 1 or len(branches) != 2:  # noqa: PLR2004 - X and null
            raise SchemaUnsupported(path, "a union other than of null and one type has no contract type")
        return f"{self._hint(inner[0], path)} | None"

    def _reference(self, name: str, path: str) -> str:
        return self._names.get(name) or self._define(self._shape.names[name], "Record", path)


def _bodies(shape: Shape) -> tuple[Named, ...]:
    root = shape.actual(shape.root)
    if isinstance(root, Record) and len(root.fields) == 1 and root.fields[0].name == "body":
        inner = shape.actual(root.fields[0].type)
        root = inner if isinstance(inner, Union) else root
    nodes = root.branches if isinstance(root, Union) else (root,)
    found = tuple(shape.actual(node) for node in nodes)
    named = tuple(node for node in found if isinstance(node, Record | Enumeration))
    if len(named) != len(found):
        raise SchemaUnsupported("$", f"{shape.root} is neither a record nor a union of records")
    return named


def _namespace(full: str) -> str:
    return f'    __namespace__ = "{full.rpartition(".")[0]}"'
