"""Whether two Avro schemas are one to a Pulsar broker, which then keeps the text that came first. Pure.

The broker's registry and its producers go by Avro's own `equals`: docs, aliases, the default of an enum, the order of
keys and the white space between them do not count; a field's default, a logical type and any other property do.
Its REST call `/version` goes by the bytes, so its "no such version" says nothing.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

AVRO: Final = "AVRO"
"""The type under which brokers have such schemas."""

_PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_NAMED: Final = frozenset({"record", "error", "enum", "fixed"})
_SILENT: Final = frozenset({"doc", "aliases", "namespace"})


def normal(text: str) -> str:
    """What counts of an Avro schema, as text: two schemas with the same are one to a broker.

    A text that is no JSON is its own normal form.
    """
    try:
        schema = json.loads(text)
    except ValueError:
        return text
    return json.dumps(_of(schema, ""), sort_keys=True)


def _of(schema: Any, namespace: str) -> Any:  # noqa: ANN401 - JSON of a schema
    """The normal form of a type, within a namespace."""
    match schema:
        case str():
            return schema if schema in _PRIMITIVES else _full(schema, namespace)
        case list():
            return [_of(each, namespace) for each in schema]
        case {"type": str(kind), "name": str()} if kind in _NAMED:
            return _named(schema, kind, namespace)
        case {"type": kind}:
            return _unnamed(schema, kind, namespace)
        case _:
            return schema


def _named(schema: Mapping[str, Any], kind: str, namespace: str) -> Mapping[str, Any]:
    name = _full(schema["name"], schema.get("namespace", namespace))
    silent = _SILENT | {"default"} if kind == "enum" else _SILENT
    found = {key: each for key, each in schema.items() if key not in silent} | {"name": name}
    if isinstance(found.get("fields"), list):
        found["fields"] = [_field(each, name.rpartition(".")[0]) for each in found["fields"]]
    return found


def _field(schema: Any, namespace: str) -> Any:  # noqa: ANN401 - JSON of a field
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {key: each for key, each in schema.items() if key not in _SILENT}
    if found.get("order") == "ascending":
        del found["order"]
    return found | {"type": _of(found.get("type"), namespace)}


def _unnamed(schema: Mapping[str, Any], kind: Any, namespace: str) -> Any:  # noqa: ANN401 - JSON of a schema
    """An array, a map, or a type with properties of its own."""
    if len(schema) == 1:
        return _of(kind, namespace)
    nested = {"items", "values"} if isinstance(kind, str) else {"items", "type", "values"}
    return {key: _of(each, namespace) if key in nested else each for key, each in schema.items()}


def _full(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"
