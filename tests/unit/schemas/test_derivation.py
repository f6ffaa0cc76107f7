"""From types to Avro: the exact text, and every problem at once for types that have none."""

# pyright: reportDeprecated=false

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Annotated, Any, Generic, Optional, TypeVar

import msgspec
import pytest

from magnetar.schemas import ContractInvalid, Digits, Doc, Event, KeyMark, Millis, Record, Schema, schema_of
from magnetar.schemas.contracts import Wire
from tests.unit.schemas.shop import CONTRACTS, Line, Order, Paid, Place, Tree, made

T = TypeVar("T")
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}


def test_the_schema_of_a_command_is_exactly_this() -> None:
    """Names, docs, defaults, nesting and the order of fields, as they are committed and sent to the registry."""
    assert json.loads(schema_of(Place).text) == {
        "type": "record",
        "name": "Place",
        "namespace": "shop",
        "doc": "Asks for an order.",
        "fields": [
            {"name": "order_id", "type": "string"},
            {
                "name": "lines",
                "type": {
                    "type": "array",
                    "items": {
                        "type": "record",
                        "name": "Line",
                        "namespace": "shop",
                        "doc": "One line of an order.",
                        "fields": [
                            {"name": "sku", "type": "string"},
                            {"name": "quantity", "type": "long", "default": 1},
                            {"name": "price", "type": DECIMAL, "default": "\n"},
                        ],
                    },
                },
            },
            {"name": "note", "type": ["null", "string"], "default": None},
            {
                "name": "total",
                "type": {
                    "type": "record",
                    "name": "Money",
                    "namespace": "magnetar",
                    "doc": "An exact amount: `amount` counts the minor unit (cents) of `currency` (ISO 4217 code).",
                    "fields": [
                        {"name": "amount", "type": "long", "doc": "minor units of the currency, such as cents"},
                        {"name": "currency", "type": "string", "doc": "ISO 4217 code, such as EUR"},
                    ],
                },
                "default": {"amount": 0, "currency": "EUR"},
            },
        ],
    }


def test_every_kind_of_field_has_its_avro_type() -> None:
    """The table of the guide, from the schema itself."""
    kinds = {field["name"]: field["type"] for field in json.loads(schema_of(Paid).text)["fields"]}
    assert {name: kinds[name] for name in ("order_id", "text", "flag", "number", "small", "real", "single", "raw")} == {
        "order_id": "string",
        "text": "string",
        "flag": "boolean",
        "number": "long",
        "small": "int",
        "real": "double",
        "single": "float",
        "raw": "bytes",
    }
    assert kinds["at"] == {"type": "long", "logicalType": "timestamp-micros"}
    assert kinds["then"] == {"type": "long", "logicalType": "timestamp-millis"}
    assert kinds["day"] == {"type": "int", "logicalType": "date"}
    assert kinds["reference"] == {"type": "string", "logicalType": "uuid"}
    assert kinds["amount"] == DECIMAL
    assert kinds["status"]["symbols"] == ["new", "paid", "gone"]
    assert kinds["status"]["default"] == "new"
    assert kinds["tags"] == {"type": "map", "values": DECIMAL}
    assert kinds["counts"] == {"type": "array", "items": {"type": "array", "items": "long"}}
    assert kinds["maybe_at"] == ["null", kinds["at"]]


def test_defaults_of_every_kind_are_written() -> None:
    """Exact, as Avro's JSON: decimals and bytes as code points, instants as numbers, unions with their first type."""
    fields = {field["name"]: field for field in json.loads(schema_of(Order).text)["fields"]}
    assert {name: field["default"] for name, field in fields.items()} == {
        "status": "paid",
        "text": 'a "quoted" \\ text',
        "note": "none yet",
        "flag": True,
        "number": -(2**63),
        "small": 7,
        "real": 1.5,
        "single": 0.25,
        "raw": "\x00\xff",
        "at": 1767323045000006,
        "then": -1,
        "day": 20512,
        "reference": "12345678-1234-5678-1234-567812345678",
        "amount": "\xfb\x2e",
        "maybe": None,
        "total": {"amount": 1, "currency": "EUR"},
        "lines": [{"sku": "s-1", "quantity": 1, "price": "\n"}],
        "tags": {},
        "tree": {"label": "", "amount": "\x00", "children": [], "twin": None},
    }
    assert fields["note"]["type"] == ["string", "null"]
    assert fields["maybe"]["type"] == ["null", DECIMAL]


def test_a_field_carries_its_documentation() -> None:
    """Through `Doc` or msgspec's own description."""

    class Told(Record):
        one: Annotated[str, Doc("first")]
        two: Annotated[Annotated[Decimal, Digits(3, 1)] | None, msgspec.Meta(description="second")] = None

    fields = json.loads(schema_of(Told).text)["fields"]
    assert [field["doc"] for field in fields] == ["first", "second"]


def test_a_type_is_defined_once_and_then_referred_to() -> None:
    """Also inside itself."""
    assert json.loads(schema_of(Tree).text)["fields"][2]["type"] == {"type": "array", "items": "shop.Tree"}


@pytest.mark.parametrize("cls", CONTRACTS)
def test_the_schema_is_made_once_and_stable(cls: type[msgspec.Struct]) -> None:
    """The same object each time, and the same text when parsed anew."""
    assert schema_of(cls) is schema_of(cls)
    assert Schema.parse(schema_of(cls).text) == schema_of(cls)


class Numbered(enum.Enum):
    """Members without a text."""

    ONE = 1


class Dashed(enum.Enum):
    """A value that is no Avro symbol."""

    IN_PROGRESS = "in-progress"


class Empty(Record):
    """No fields."""


class Loose(msgspec.Struct):
    """Not frozen."""

    text: str


class Tagged(msgspec.Struct, frozen=True, tag=True, forbid_unknown_fields=True):
    """With options that have no meaning in Avro."""


class Renamed(msgspec.Struct, frozen=True, rename="camel"):
    """Another name on the wire."""

    order_id: str


class Box(msgspec.Struct, Generic[T], frozen=True):
    """Generic."""

    content: T


Twin = made(Record, "Line", {"__namespace__": "shop", "__annotations__": {"a": str}})


@pytest.mark.parametrize(
    ("hint", "advice"),
    [
        (Decimal, "write Annotated[Decimal, Digits(precision=…, scale=…)]"),
        (Annotated[int, Digits(3, 2)], "does not fit int"),
        (Annotated[str, Wire("int")], "does not fit str"),
        (list[int], "write tuple[X, ...]"),
        (set[int], "write tuple[X, ...]"),
        (tuple[int, int], "with one type and three dots"),
        (dict[str, int], "write Mapping[str, X]"),
        (Mapping[int, str], "keys are str"),
        (int | str, "X | None is"),
        (int | str | None, "X | None is"),
        (object, "has no Avro type"),
        (Any, "has no Avro type"),
        (time, "has no Avro type"),
        (None, "has no Avro type"),
        (Numbered, "1 is not an Avro symbol"),
        (Dashed, "'in-progress' is not an Avro symbol"),
        (tuple[Empty, ...], "has no fields"),
        (Loose, "is not frozen"),
        (Tagged, "have no meaning here"),
        (Renamed, "is renamed to orderId"),
        (tuple[Line | None, ...] | Twin, "X | None is"),
        (Annotated[int, KeyMark()], "a Key is a str"),
    ],
)
def test_a_type_without_avro_is_refused_with_advice(hint: Any, advice: str) -> None:
    """The problem names the field and says what to write instead."""
    body = {"__annotations__": {"field": hint}}
    with pytest.raises(ContractInvalid) as caught:
        schema_of(made(Record, "Wrong", body))
    assert any(advice in problem and problem.startswith("field") for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("hint", "default", "reason"),
    [
        (float, float("nan"), "not a finite number"),
        (Annotated[Decimal, Digits(3, 2)], Decimal("0.001"), "more than 2 digits"),
        (datetime, datetime(2026, 1, 1), "has no time zone"),  # noqa: DTZ001 - the point
        (Millis, datetime(2026, 1, 1), "has no time zone"),  # noqa: DTZ001 - the point
        (int, 2**63, "is not of the type long"),
        (int, "five", "is not of the type long"),
        (str, "\ud800", "surrogates"),
        (Tree, Tree(twin=Tree()), r"field\.twin: .* is not of the type null, the union's first"),
    ],
)
def test_a_default_that_cannot_be_written_is_refused(hint: Any, default: object, reason: str) -> None:
    """A default is part of the contract, so it must be exact, too."""
    body = {"__annotations__": {"field": hint}, "field": default}
    with pytest.raises(ContractInvalid, match=reason):
        schema_of(made(Record, "Wrong", body))


def test_all_problems_are_reported_at_once() -> None:
    """Deep ones with their whole path."""

    class Item(Record):
        values: list[int]
        price: Decimal

    class Wrong(Event):
        items: tuple[Mapping[str, Item], ...]
        when: time

    globals()["Item"] = Item
    with pytest.raises(ContractInvalid) as caught:
        schema_of(Wrong)
    del globals()["Item"]
    assert caught.value.subject == "tests.Wrong"
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "items[]{}.values",
        "items[]{}.price",
        "when",
    ]


def test_two_types_of_one_full_name_are_refused() -> None:
    """They would be one type in Avro."""
    body = {"__annotations__": {"line": Line, "other": Twin}}
    with pytest.raises(ContractInvalid, match=r"another class is also named shop\.Line"):
        schema_of(made(Record, "Both", body))


def test_an_annotation_that_cannot_be_resolved_is_a_problem() -> None:
    """Such as a type that is imported for type checking only."""
    body = {"__annotations__": {"line": "NotImported"}}
    with pytest.raises(ContractInvalid, match="import it at run time"):
        schema_of(made(Record, "Lost", body))


def test_both_spellings_of_an_optional_type_are_one() -> None:
    """`Optional[X]` is `X | None`."""
    body = {"__annotations__": {"note": Optional[str]}}  # noqa: UP045 - the spelling under test
    assert json.loads(schema_of(made(Record, "Old", body)).text)["fields"][0]["type"] == ["null", "string"]


def test_names_that_avro_does_not_have_are_refused() -> None:
    """Python allows more letters than Avro."""
    body = {"__annotations__": {"straße": str}, "__namespace__": "shöp"}
    with pytest.raises(ContractInvalid) as caught:
        schema_of(made(Record, "Größe", body))
    assert len(caught.value.problems) == 2
