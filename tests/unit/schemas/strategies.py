"""Hypothesis strategies made from contract types: any value of a type, and any type."""

# pyright: reportDeprecated=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

import enum
import types
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

import msgspec
from hypothesis import assume
from hypothesis import strategies as st

from magnetar.schemas import ContractInvalid, Digits, Float32, Int32, Key, Millis, Record, State, schema_of
from magnetar.schemas.contracts import Wire
from tests.unit.schemas.shop import Amount, Line, Status, Tree, made

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INSTANTS = st.datetimes(timezones=st.just(UTC))
PLAIN: Mapping[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    bytes: st.binary(max_size=12),
    datetime: INSTANTS,
    date: st.dates(),
    UUID: st.uuids(),
}
WIRED: Mapping[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-(2**31), 2**31 - 1),
    "float": st.floats(width=32, allow_nan=False),
    "timestamp-millis": INSTANTS.map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)),
}


def decimals(digits: Digits) -> st.SearchStrategy[Decimal]:
    """Return every decimal that fits some digits."""
    most = 10**digits.precision - 1
    return st.integers(-most, most).map(lambda number: Decimal(f"{number}E-{digits.scale}"))


def values(hint: Any, depth: int = 2) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one case per kind of type
    """Return values of a field's type; `depth` bounds types that contain themselves."""
    if get_origin(hint) is Annotated:
        bare, *marks = get_args(hint)
        for mark in marks:
            if isinstance(mark, Digits):
                return decimals(mark)
            if isinstance(mark, Wire):
                return WIRED[mark.avro]
        return values(bare, depth)
    if hint in PLAIN:
        return PLAIN[hint]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return st.sampled_from(list(hint))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return structs(hint, depth - 1)
    return generic(get_origin(hint), get_args(hint), depth)


def generic(origin: Any, arguments: tuple[Any, ...], depth: int) -> st.SearchStrategy[Any]:
    """Return values of a tuple, a mapping or an optional type."""
    if origin is tuple:
        return st.lists(st.deferred(lambda: values(arguments[0], depth)), max_size=3 if depth > 0 else 0).map(tuple)
    if origin is Mapping:
        return st.dictionaries(TEXTS, st.deferred(lambda: values(arguments[1], depth)), max_size=3)
    if origin in {Union, types.UnionType}:
        inner = next(each for each in arguments if each is not type(None))
        return st.none() | st.deferred(lambda: values(inner, depth)) if depth > 0 else st.none()
    raise TypeError(origin)


def structs(cls: type[msgspec.Struct], depth: int = 2) -> st.SearchStrategy[Any]:
    """Return values of a contract type, with fields left to their defaults now and then."""
    found = msgspec.structs.fields(cls)
    required = {field.name: values(field.type, depth) for field in found if field.required}
    optional = {field.name: values(field.type, depth) for field in found if not field.required}
    return st.fixed_dictionaries(required, optional=optional).map(lambda given: cls(**given))


LEAVES: tuple[Any, ...] = (
    str,
    bool,
    int,
    float,
    bytes,
    datetime,
    date,
    UUID,
    Key,
    Int32,
    Float32,
    Millis,
    Amount,
    Annotated[Decimal, Digits(precision=38, scale=0)],
    Annotated[Decimal, Digits(precision=3, scale=3)],
    Status,
    Line,
    Tree,
)


def hints() -> st.SearchStrategy[Any]:
    """Return types of fields, nested a little."""

    def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        arrays = inner.map(lambda item: types.GenericAlias(tuple, (item, ...)))
        tables = inner.map(lambda item: types.GenericAlias(Mapping, (str, item)))
        return arrays | tables

    plain = st.recursive(st.sampled_from(LEAVES), nested, max_leaves=3)
    return plain | plain.map(lambda item: item | None)


@st.composite
def contract_types(draw: st.DrawFn, base: type[Record] = Record) -> type[Record]:
    """Return any contract type, with defaults on some fields (on all of a state's)."""
    found = draw(st.lists(hints(), min_size=1, max_size=6))
    body: dict[str, Any] = {"__annotations__": {f"f{at}": hint for at, hint in enumerate(found)}}
    for name, hint in body["__annotations__"].items():
        if issubclass(base, State) or draw(st.booleans()):
            body[name] = _default(draw(values(hint).filter(lambda value: "inf" not in repr(value))))
    drawn: type[Record] = made(base, "Drawn", {**body, "__namespace__": "drawn"})
    assume(_has_writable_defaults(drawn))
    return drawn


def _has_writable_defaults(cls: type[msgspec.Struct]) -> bool:
    """A default with a value deep inside for a type `X | None` is one that Avro cannot write."""
    try:
        schema_of(cls)
    except ContractInvalid as error:
        if all("the union's first" in problem for problem in error.problems):
            return False
        raise
    return True


def _default(value: Any) -> Any:
    return msgspec.field(default_factory=lambda: value) if isinstance(value, dict | tuple) and value else value
