"""Python contract types to Avro: names, keys, and the schema of a message, a state or a topic."""

from __future__ import annotations

import enum
import inspect
import json
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args, get_origin
from uuid import UUID

import msgspec

from magnetar.schemas.contracts import Digits, Doc, Key, KeyMark, Message, State, Wire
from magnetar.schemas.errors import ContractInvalid, SchemaInvalid
from magnetar.schemas.jsonable import default_json
from magnetar.schemas.parsing import NAME
from magnetar.schemas.schema import Schema
from magnetar.schemas.shapes import UPCASTS
from magnetar.schemas.upcasting import declared_in, same_kind, upcasts_of

if TYPE_CHECKING:
    from magnetar.schemas.shapes import Json

MOST_CLASSES: Final = 4096
"""Schemas of so many classes are kept; a program has tens."""

PLAIN: Final[Mapping[Any, Json]] = types.MappingProxyType(
    {
        str: "string",
        bool: "boolean",
        int: "long",
        float: "double",
        bytes: "bytes",
        datetime: {"type": "long", "logicalType": "timestamp-micros"},
        date: {"type": "int", "logicalType": "date"},
        UUID: {"type": "string", "logicalType": "uuid"},
    }
)

WIRES: Final[Mapping[tuple[Any, str], Json]] = types.MappingProxyType(
    {
        (int, "int"): "int",
        (float, "float"): "float",
        (datetime, "timestamp-millis"): {"type": "long", "logicalType": "timestamp-millis"},
    }
)


def namespace_of(cls: type) -> str:
    """Return the Avro namespace of a class: its `__namespace__`, else the first component of its module."""
    declared = getattr(cls, "__namespace__", None)
    if isinstance(declared, str):
        return declared
    first = cls.__module__.partition(".")[0]
    return "app" if first == "__main__" else first


def contract_name(cls: type) -> str:
    """Return the full Avro name of a contract type, such as ``shop.Place``."""
    namespace, name = namespace_of(cls), simple_name(cls)
    return f"{namespace}.{name}" if namespace else name


def simple_name(cls: type) -> str:
    """Return a class's `__contract__`, which is not inherited, else its own name."""
    declared = cls.__dict__.get("__contract__")
    return declared if isinstance(declared, str) else cls.__name__


@lru_cache(maxsize=MOST_CLASSES)
def key_field(cls: type[msgspec.Struct]) -> str | None:
    """Return the name of the field marked as `Key`, or None. More than one is a ContractInvalid."""
    marked = [field.name for field in _fields(cls) if any(isinstance(mark, KeyMark) for mark in _marks(field.type))]
    if len(marked) > 1:
        raise ContractInvalid(contract_name(cls), [f"{', '.join(marked)} are all marked as Key; mark one"])
    return marked[0] if marked else None


def check_state(cls: type[State]) -> None:
    """Raise ContractInvalid unless every field of a state has a default: an unknown key is the default state."""
    problems = missing_defaults(cls)
    if problems:
        raise ContractInvalid(contract_name(cls), problems)


def missing_defaults(cls: type[msgspec.Struct]) -> list[str]:
    """Return one line for each field of a state that has no default."""
    return [
        f"{field.name}: needs a default (a key never seen is {cls.__name__}())"
        for field in _fields(cls)
        if field.required
    ]


def schema_of(cls: type[msgspec.Struct]) -> Schema:
    """Return the schema of one message, state or timer, or raise ContractInvalid with every problem it has.

    It is made once per class.
    """
    return _schema_of(cls)


@lru_cache(maxsize=MOST_CLASSES)
def _schema_of(cls: type[msgspec.Struct]) -> Schema:
    derivation = Derivation()
    derived = derivation.of(cls, "")
    problems = list(derivation.problems)
    if issubclass(cls, State):
        problems += missing_defaults(cls)
    return _finished(contract_name(cls), derived, problems)


def topic_schema(topic: str, namespace: str, types: Sequence[type[Message]]) -> Schema:
    """Return the schema of a topic: record ``<namespace>.<Topic>Topic`` whose `body` is a union in the given order.

    The order is part of what is written (a union's index): append new types, never insert or re-order. It is made
    once per topic of these.
    """
    return _topic_schema(topic, namespace, tuple(types))


@lru_cache(maxsize=MOST_CLASSES)
def _topic_schema(topic: str, namespace: str, types: tuple[type[Message], ...]) -> Schema:
    derivation = Derivation()
    body = [derivation.of(cls, "") for cls in types]
    problems = list(derivation.problems)
    if not types:
        problems.append("no message type is taken; name at least one")
    if len(set(types)) != len(types):
        problems.append("a message type is listed twice")
    name = topic_record(topic)
    derived: Json = {"type": "record", "name": name, "namespace": namespace, "fields": [{"name": "body", "type": body}]}
    return _finished(f"topic {topic}", derived, problems)


def topic_record(topic: str) -> str:
    """Return the name of a topic's record: ``orders-events`` gives ``OrdersEventsTopic``."""
    words = re.split(r"[^A-Za-z0-9]+", topic)
    return "".join(word[:1].upper() + word[1:] for word in words) + "Topic"


def _finished(subject: str, derived: Json, problems: list[str]) -> Schema:
    if not problems:
        try:
            return Schema.parse(json.dumps(derived, separators=(",", ":"), ensure_ascii=False))
        except SchemaInvalid as error:
            problems = [f"{error.path}: {error.reason}"]
    raise ContractInvalid(subject, problems)


@lru_cache(maxsize=MOST_CLASSES)
def _fields(cls: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    try:
        return msgspec.structs.fields(cls)
    except (NameError, TypeError) as error:
        problem = f"a field's type cannot be resolved ({error}); import it at run time, not only for type checking"
        raise ContractInvalid(contract_name(cls), [problem]) from error


def _marks(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a type expression has no better type
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()


class Derivation:
    """Derives one schema; collects every problem instead of stopping at the first."""

    def __init__(self) -> None:
        """Start without problems and without named types."""
        self.problems: list[str] = []
        self._seen: dict[str, type] = {}

    def of(self, hint: Any, path: str) -> Json:  # noqa: ANN401 - a type expression
        """Return the Avro JSON of a type expression."""
        marks, bare = _marks(hint), get_args(hint)[0] if _marks(hint) else hint
        for mark in marks:
            if isinstance(mark, Digits | Wire):
                return self._marked(bare, mark, path)
        if bare in PLAIN:
            return PLAIN[bare]
        if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
            return self._once(bare, path, self._record)
        if isinstance(bare, type) and issubclass(bare, enum.Enum):
            return self._once(bare, path, self._enumeration)
        return self._generic(bare, path)

    def _problem(self, path: str, text: str) -> Json:
        self.problems.append(f"{path or 'the type'}: {text}")
        return "null"

    def _marked(self, bare: Any, mark: Digits | Wire, path: str) -> Json:  # noqa: ANN401
        if isinstance(mark, Digits) and bare is Decimal:
            return {"type": "bytes", "logicalType": "decimal", "precision": mark.precision, "scale": mark.scale}
        if isinstance(mark, Wire) and (bare, mark.avro) in WIRES:
            return WIRES[bare, mark.avro]
        return self._problem(path, f"{mark} does not fit {_named(bare)}")

    def _once(self, cls: type, path: str, define: Callable[[Any, str], tuple[str, dict[str, Json]]]) -> Json:
        name = contract_name(cls)
        if name in self._seen:
            if self._seen[name] is not cls:
                self._problem(path, f"another class is also named {name}; rename one or set __namespace__")
            return name
        self._seen[name] = cls
        simple = simple_name(cls)
        parts = [*namespace_of(cls).split("."), simple] if namespace_of(cls) else [simple]
        if not all(NAME.fullmatch(part) for part in parts):
            self._problem(path, f"{name} is not an Avro name; use ASCII letters, digits and _")
        doc = cls.__dict__.get("__doc__")
        head = {"name": simple, "namespace": namespace_of(cls), **_doc(doc if isinstance(doc, str) else None)}
        kind, rest = define(cls, path)
        return {"type": kind, **head, **rest}

    def _record(self, cls: type[msgspec.Struct], path: str) -> tuple[str, dict[str, Json]]:
        self._check_class(cls, path)
        try:
            fields = _fields(cls)
        except ContractInvalid as error:
            self.problems += [f"{path or cls.__name__}: {problem}" for problem in error.problems]
            fields = ()
        behind: dict[str, Json] = {UPCASTS: count} if (count := upcasts_of(cls)) else {}
        return "record", {
            **behind,
            "fields": [self._field(field, f"{path}.{field.name}".lstrip(".")) for field in fields],
        }

    def _check_class(self, cls: type[msgspec.Struct], path: str) -> None:
        config = cls.__struct_config__
        if not config.frozen:
            self._problem(path, f"{cls.__name__} is not frozen; derive it from Record or pass frozen=True")
        if config.tag is not None or config.array_like or config.forbid_unknown_fields:
            self._problem(
                path, f"{cls.__name__}: tag, array_like and forbid_unknown_fields have no meaning here; remove them"
            )

        self.problems += [f"{path or 'the type'}: {problem}" for problem in self._upcast(cls, path)]

    def _upcast(self, cls: type[msgspec.Struct], path: str) -> Iterator[str]:
        declared = declared_in(cls)
        if len(declared) > 1:
            yield f"{cls.__name__} declares {len(declared)} upcasts; each takes what the version before was: keep one"
        for each in declared:
            if path:
                yield f"{cls.__name__} is a part of a contract: declare its upcast on the contract that holds it"
            before = each.before
            if contract_name(before) != contract_name(cls):
                named = f'set `__contract__ = "{simple_name(cls)}"` on {before.__name__}'
                yield f"the upcast takes a {contract_name(before)}, which is another contract: {named}"
            if not same_kind(before, cls):
                yield f"the upcast takes a {before.__name__}, which is of another kind than {cls.__name__}"

    def _field(self, field: msgspec.structs.FieldInfo, path: str) -> Json:
        if field.encode_name != field.name:
            self._problem(path, f"is renamed to {field.encode_name}; contracts use the Python name")
        if not NAME.fullmatch(field.name):
            self._problem(path, "is not an Avro name; use ASCII letters, digits and _")
        self._check_key(field.type, path)
        before = len(self.problems)
        derived = self.of(field.type, path)
        json: dict[str, Json] = {"name": field.name, "type": derived, **_doc(_described(field.type))}
        if not field.required and len(self.problems) == before:
            self._default(field, json, path)
        return json

    def _check_key(self, hint: Any, path: str) -> None:  # noqa: ANN401
        if any(isinstance(mark, KeyMark) for mark in _marks(hint)) and hint != Key and get_args(hint)[0] is not str:
            self._problem(path, "a Key is a str; write `order_id: Key`")

    def _default(self, field: msgspec.structs.FieldInfo, json: dict[str, Json], path: str) -> None:
        value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        union = json["type"]
        if value is not None and isinstance(union, list):
            json["type"] = [union[1], union[0]]  # Avro: a default is of the union's first type
        try:
            json["default"] = default_json(value, field.type)
        except ValueError as error:
            self._problem(path, f"the default {value!r} {error}")

    def _enumeration(self, cls: type[enum.Enum], path: str) -> tuple[str, dict[str, Json]]:
        symbols = [member.value for member in cls]
        for symbol in symbols:
            if not isinstance(symbol, str) or not NAME.fullmatch(symbol):
                self._problem(
                    path, f"{cls.__name__}: {symbol!r} is not an Avro symbol; use a str of ASCII letters, digits and _"
                )
        if not symbols:
            self._problem(path, f"{cls.__name__} has no members")
        return "enum", {"symbols": symbols, "default": symbols[0] if symbols else None}

    def _generic(self, hint: Any, path: str) -> Json:  # noqa: ANN401 - a type expression
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
            return self._array(arguments[0], path)
        if origin is Mapping and arguments[0] is str:
            return {"type": "map", "values": self.of(arguments[1], f"{path}{{}}")}
        if origin in UNIONS:
            return self._optional(arguments, path)
        return self._problem(path, f"{_named(hint)} has no Avro type; {ADVICE.get(origin or hint, ADVICE_ELSE)}")

    def _array(self, items: Any, path: str) -> Json:  # noqa: ANN401 - a type expression
        if isinstance(items, type) and issubclass(items, msgspec.Struct) and not items.__struct_fields__:
            return self._problem(path, f"{items.__name__} has no fields, so an array of it has no size; give it one")
        return {"type": "array", "items": self.of(items, f"{path}[]")}

    def _optional(self, arguments: tuple[Any, ...], path: str) -> Json:
        inner = [argument for argument in arguments if argument is not types.NoneType]
        if len(inner) != 1 or len(inner) == len(arguments):
            return self._problem(path, "a union of several types is not possible; X | None is")
        return ["null", self.of(inner[0], path)]


UNIONS: Final = frozenset({types.UnionType, typing.Union})  # pyright: ignore[reportDeprecated] # users may write it
ADVICE_ELSE: Final = "see the list of field types in the guide on contracts"
ADVICE: Final[Mapping[Any, str]] = types.MappingProxyType(
    {
        Decimal: "write Annotated[Decimal, Digits(precision=…, scale=…)]",
        list: "write tuple[X, ...]",
        set: "write tuple[X, ...]",
        tuple: "write tuple[X, ...], with one type and three dots",
        dict: "write Mapping[str, X]",
        Mapping: "write Mapping[str, X]: keys are str",
    }
)


def _named(hint: Any) -> str:  # noqa: ANN401 - a type expression
    return hint.__name__ if isinstance(hint, type) else str(hint)


def _described(hint: Any) -> str | None:  # noqa: ANN401 - a type expression
    for mark in _marks(hint):
        if isinstance(mark, Doc):
            return mark.text
        if isinstance(mark, msgspec.Meta) and mark.description:
            return mark.description
    return None


def _doc(text: str | None) -> dict[str, Json]:
    return {"doc": inspect.cleandoc(text)} if text else {}
