"""What one version wrote and another reads: the right value, or an error that names where the two contradict."""

# pyright: reportDeprecated=false, reportUnknownMemberType=false

from __future__ import annotations

import enum
import io
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Optional
from uuid import UUID

import fastavro
import pytest
from hypothesis import given

from magnetar.schemas import (
    DecodeFailed,
    Digits,
    Event,
    Float32,
    Int32,
    Millis,
    Money,
    Record,
    Schema,
    State,
    codec_for,
)
from magnetar.schemas.opinion import Plain
from tests.unit.schemas.shop import Amount, From, Order, Status, made
from tests.unit.schemas.strategies import structs

HERE = From()


def schema(fields: Mapping[str, Any], name: str = "Subject") -> Schema:
    """Return a foreign writer's schema; a field is its type, or a whole JSON field."""
    listed = [{"name": key, **(kind if _is_field(kind) else {"type": kind})} for key, kind in fields.items()]
    return Schema.parse(json.dumps({"type": "record", "name": f"shop.{name}", "fields": listed}))


def _is_field(kind: Any) -> bool:
    return isinstance(kind, dict) and "of" in kind


def written(fields: Mapping[str, Any], **values: Any) -> tuple[Schema, bytes]:
    """Return a foreign schema and the bytes of a value."""
    foreign = schema(fields)
    return foreign, foreign_bytes(foreign, values)


def foreign_bytes(foreign: Schema, values: Mapping[str, Any]) -> bytes:
    """Return what fastavro writes with a schema."""
    stream = io.BytesIO()
    parsed = fastavro.parse_schema(Plain(foreign.shape).json(foreign.shape.root))
    fastavro.schemaless_writer(stream, parsed, values, strict=True, disable_tuple_notation=True)
    return stream.getvalue()


def read(cls: Any, foreign: tuple[Schema, bytes]) -> Any:
    """Return what a type of ours reads from foreign bytes."""
    return codec_for(cls).decode(foreign[1], foreign[0], HERE)


def refusal(cls: Any, foreign: tuple[Schema, bytes]) -> DecodeFailed:
    """Return the error that reading ends in."""
    with pytest.raises(DecodeFailed) as caught:
        read(cls, foreign)
    return caught.value


def subject(**fields: Any) -> Any:
    """Return a contract type named as the foreign record is; a field is its type, or (type, default)."""
    body: dict[str, Any] = {"__namespace__": "shop"}
    body["__annotations__"] = {key: hint[0] if isinstance(hint, tuple) else hint for key, hint in fields.items()}
    body |= {key: hint[1] for key, hint in fields.items() if isinstance(hint, tuple)}
    return made(Record, "Subject", body)


DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}


def test_money_is_never_read_with_another_scale() -> None:
    """12.34 written with two digits after the point is an error for a reader of four, never 0.1234."""
    foreign = written({"amount": DECIMAL}, amount=b"\x04\xd2")
    assert read(subject(amount=Annotated[Decimal, Digits(12, 2)]), foreign).amount == Decimal("12.34")
    error = refusal(subject(amount=Annotated[Decimal, Digits(12, 4)]), foreign)
    assert error.path == "$.amount"
    assert error.reason == "was written as bytes/decimal(12, 2), but is read as bytes/decimal(12, 4)"


@pytest.mark.parametrize(
    ("kind", "value", "hint"),
    [
        (DECIMAL, b"\x04", Annotated[Decimal, Digits(13, 2)]),
        (DECIMAL, b"\x04", bytes),
        ("bytes", b"\x04", Annotated[Decimal, Digits(12, 2)]),
        ({"type": "long", "logicalType": "timestamp-millis"}, 5, datetime),
        ({"type": "long", "logicalType": "timestamp-micros"}, 5, Millis),
        ({"type": "long", "logicalType": "timestamp-micros"}, 5, int),
        ({"type": "long", "logicalType": "local-timestamp-micros"}, 5, datetime),
        ("long", 5, datetime),
        ("long", 5, Int32),
        ("long", 5, float),
        ("long", 5, str),
        ("int", 5, Float32),
        ("double", 5.0, Float32),
        ("string", "text", bytes),
        ("bytes", b"text", str),
        ("string", "text", UUID),
        ("boolean", True, int),
        ("string", "new", Status),
        ({"type": "enum", "name": "other.Status", "symbols": ["new"]}, "new", Status),
        ({"type": "fixed", "name": "F", "size": 4}, b"1234", bytes),
        ({"type": "array", "items": "string"}, ["a"], tuple[int, ...]),
        ({"type": "array", "items": "string"}, ["a"], str),
        ({"type": "map", "values": "string"}, {"a": "b"}, Mapping[str, int]),
        ({"type": "record", "name": "other.Money", "fields": []}, {}, Money),
        (["string", "int"], 5, bytes),
        ("null", None, str),
    ],
)
def test_types_that_contradict_are_refused_before_a_byte_is_read(kind: Any, value: Any, hint: Any) -> None:
    """The pair of schemas is refused as such, with the path, whatever the bytes are."""
    foreign = written({"field": kind}, field=value)
    error = refusal(subject(field=hint), foreign)
    assert error.path.startswith("$.field")
    assert "was written as" in error.reason
    assert refusal(subject(field=hint), (foreign[0], b"")).reason == error.reason


AGREEING: list[tuple[Any, Any, Any, Any]] = [
    ("int", 5, int, 5),
    ("int", 5, float, 5.0),
    ("float", 0.5, float, 0.5),
    ("string", "a", str | None, "a"),
    (["null", "string"], "a", str, "a"),
    (["null", "string"], "a", str | None, "a"),
    (["string", "null"], None, str | None, None),
    (["string", "int", "null"], "a", str | None, "a"),
    (["int", "long"], 5, int, 5),
    (["null", DECIMAL], b"\x04\xd2", Optional[Amount], Decimal("12.34")),  # noqa: UP045 - an annotated type takes no |
    ("null", None, str | None, None),
    ({"type": "enum", "name": "shop.Status", "symbols": ["lost", "paid", "new"]}, "paid", Status, Status.PAID),
    ({"type": "enum", "name": "shop.Status", "symbols": ["lost", "paid"]}, "lost", Status, Status.NEW),
    (
        {"type": "array", "items": ["null", {"type": "enum", "name": "shop.Status", "symbols": ["lost", "paid"]}]},
        ["lost", None, "paid"],
        tuple[Status | None, ...],
        (Status.NEW, None, Status.PAID),
    ),
    (
        {"type": "map", "values": DECIMAL},
        {"a": b"\x01"},
        Mapping[str, Annotated[Decimal, Digits(12, 2)]],
        {"a": Decimal("0.01")},
    ),
]


@pytest.mark.parametrize(("kind", "value", "hint", "expected"), AGREEING)
def test_types_that_agree_are_read(kind: Any, value: Any, hint: Any, expected: Any) -> None:
    """Widened numbers, unions that became wider or narrower, symbols that are not known here."""
    assert read(subject(field=hint), written({"field": kind}, field=value)).field == expected


@pytest.mark.parametrize(
    ("kind", "value"), [(["null", "string"], None), (["string", "int"], 5), (["int", "string"], 5)]
)
def test_a_branch_without_reader_is_refused_when_it_is_met(kind: Any, value: Any) -> None:
    """The other branches are read; this one is an error at its path."""
    reads = subject(field=str)
    assert read(reads, written({"field": kind}, field="a")).field == "a"
    error = refusal(reads, written({"field": kind}, field=value))
    assert error.path == "$.field"
    assert "was written as" in error.reason


def test_a_record_of_another_name_in_a_union_is_not_taken_for_ours() -> None:
    """Two records with the same fields are told apart by their full names, not by what fits."""
    money, gift = (
        {
            "type": "record",
            "name": name,
            "fields": [{"name": "amount", "type": "long"}, {"name": "currency", "type": "string"}],
        }
        for name in ("magnetar.Money", "shop.Gift")
    )
    foreign = schema({"field": [money, gift]})
    reads = subject(field=Money)
    assert codec_for(reads).decode(b"\x00\x02\x02E", foreign, HERE).field == Money(1, "E")
    with pytest.raises(DecodeFailed, match=r"\$\.field: was written as record shop\.Gift"):
        codec_for(reads).decode(b"\x02\x02\x02E", foreign, HERE)


def test_an_old_writers_missing_field_is_the_default() -> None:
    """A field added with a default takes it; one without is refused by name."""
    foreign = written({"kept": "long"}, kept=1)
    assert read(subject(kept=int, added=(str, "new")), foreign).added == "new"
    error = refusal(subject(kept=int, added=str), foreign)
    assert (error.path, error.reason) == ("$.added", "was not written, and has no default")


def test_defaults_of_every_kind_stand_in() -> None:
    """A state written before it had any field is the default state, with values of the right types."""
    empty = Schema.parse('{"type": "record", "name": "shop.Order", "fields": []}')
    assert codec_for(Order).decode(b"", empty, HERE) == Order()


def test_a_new_writers_extra_field_is_passed_over() -> None:
    """Fields are matched by name in any order; what is not known here is skipped, and still checked."""
    extra = {"type": "array", "items": {"type": "fixed", "name": "F", "size": 3}}
    kinds = {"extra": extra, "kept": "long", "time": {"type": "int", "logicalType": "time-millis"}}
    foreign = written(kinds, extra=[b"abc"], kept=7, time=-5)
    reads = subject(kept=int)
    assert read(reads, foreign).kept == 7
    assert refusal(reads, (foreign[0], foreign[1][:-3])).path == "$.extra"


class Inner(Record):
    """Leads back to what it is in."""

    __namespace__ = "shop"
    outer: Outer | None = None


class Outer(Record):
    """Two digits after the point."""

    __namespace__ = "shop"
    inner: Inner = Inner()
    amount: Amount = Decimal(0)


class OldTree(Record):
    """What `NewTree` was."""

    children: tuple[OldTree, ...] = ()
    status: Status = Status.NEW
    __namespace__: ClassVar[str] = "shop"


def test_a_type_that_contains_itself_is_resolved_once_for_every_depth() -> None:
    """Decimals and unknown symbols are changed deep inside, too."""
    fields = [
        {"name": "status", "type": {"type": "enum", "name": "shop.Status", "symbols": ["lost", "paid"]}},
        {"name": "children", "type": {"type": "array", "items": "shop.OldTree"}},
        {"name": "more", "type": ["null", "shop.OldTree"]},
    ]
    foreign = Schema.parse(json.dumps({"type": "record", "name": "shop.OldTree", "fields": fields}))
    leaf: dict[str, Any] = {"status": "lost", "children": [], "more": None}
    data = foreign_bytes(foreign, {"status": "paid", "children": [leaf], "more": leaf})
    decoded = codec_for(OldTree).decode(data, foreign, HERE)
    assert decoded == OldTree(status=Status.PAID, children=(OldTree(),))


def test_a_union_of_which_only_null_can_be_read_is_refused_at_once() -> None:
    """Not first when a value comes: the two schemas contradict, with the path to where they do."""
    inner = {"type": "record", "name": "shop.Inner", "fields": [{"name": "outer", "type": ["null", "shop.Outer"]}]}
    fields = [{"name": "inner", "type": inner}, {"name": "amount", "type": {**DECIMAL, "scale": 4}}]
    foreign = schema({"first": ["null", {"type": "record", "name": "shop.Outer", "fields": fields}]})
    error = refusal(subject(first=(Outer | None, None)), (foreign, b"\x00"))
    assert error.path == "$.first.amount"
    assert error.reason == "was written as bytes/decimal(12, 4), but is read as bytes/decimal(12, 2)"


def test_a_symbol_without_default_is_refused() -> None:
    """A reader's enum without a default (none of ours) does not guess."""
    from magnetar.schemas.malformed import Malformed  # noqa: PLC0415
    from magnetar.schemas.resolution import resolve  # noqa: PLC0415

    wide, narrow = (
        Schema.parse(json.dumps({"type": "enum", "name": "E", "symbols": symbols})).shape
        for symbols in (["a", "b"], ["a"])
    )
    with pytest.raises(Malformed, match="the symbols b"):
        resolve(wide.root, wide, narrow.root, narrow)


class First(State):
    """The first version of a state."""

    __namespace__ = "shop"
    number: int = 0
    status: Status = Status.NEW


class NewStatus(enum.Enum):
    """One more, and the first one stays first."""

    __namespace__ = "shop"
    NEW = "new"
    PAID = "paid"
    GONE = "gone"
    BACK = "back"


NewStatus.__name__ = "Status"


class Second(State):
    """The second version: a field more, a union wider, a symbol more."""

    __namespace__ = "shop"
    note: str | None = None
    number: int | None = 0
    status: NewStatus = NewStatus.NEW


Second.__name__ = "First"


@given(value=structs(First))
def test_every_old_value_is_read_by_the_new_version(value: First) -> None:
    """Forward: nothing that the first version wrote is lost."""
    old, new = codec_for(First), codec_for(Second)
    decoded = new.decode(old.encode(value), old.schema, HERE)
    assert (decoded.number, decoded.status.value, decoded.note) == (value.number, value.status.value, None)


@given(value=structs(Second))
def test_every_new_value_is_read_by_the_old_version_or_refused(value: Second) -> None:
    """Backward: the unknown symbol becomes the default; what the old one cannot hold is an error, not a guess."""
    old, new = codec_for(First), codec_for(Second)
    data = new.encode(value)
    if value.number is None:
        with pytest.raises(DecodeFailed, match=r"\$\.number"):
            old.decode(data, new.schema, HERE)
        return
    decoded = old.decode(data, new.schema, HERE)
    expected = "new" if value.status is NewStatus.BACK else value.status.value
    assert (decoded.number, decoded.status.value) == (value.number, expected)


def test_a_pair_of_schemas_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a good nor a bad pair is looked at again with the next message."""

    class Counted(Event):
        __namespace__ = "shop"
        number: int = 0

    codec = codec_for(Counted)
    bad = Schema.parse('{"type": "record", "name": "shop.Other", "fields": []}')
    data = codec.encode(Counted())
    codec.decode(data, codec.schema, HERE)
    with pytest.raises(DecodeFailed):
        codec.decode(b"", bad, HERE)
    monkeypatch.setattr("magnetar.schemas.codec.resolve", None)
    assert codec.decode(data, codec.schema, HERE) == Counted()
    with pytest.raises(DecodeFailed, match=r"was written as record shop\.Other"):
        codec.decode(b"", bad, HERE)
