"""Stored bytes are shown as what they say, exactly, or with the reason why they cannot be."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime import Command, Digits, Event, Key, Money, Record
from magnetar.runtime.operate.decoding import Decoding
from magnetar.schemas import codec_for, topic_codec
from tests.unit.schemas.strategies import structs

Amount = Annotated[Decimal, Digits(precision=12, scale=2)]


class Leaf(Record):
    """A nested value."""

    name: str
    amounts: tuple[Amount, ...] = ()


class Everything(Command):
    """A field of every type whose JSON is the same wherever it is made."""

    key: Key
    flag: bool = False
    number: int = 0
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    day: date = date(2026, 1, 1)
    id: UUID = UUID(int=0)
    amount: Amount = Decimal("0.00")
    price: Money | None = None
    leaves: tuple[Leaf, ...] = ()


class Other(Event):
    """Another type on the same topic."""

    key: Key


def decoding(*codecs: Any) -> Decoding:
    """A decoding that knows what these write."""
    return Decoding({codec.schema.fingerprint: codec.schema.text for codec in codecs})


@given(structs(Everything))
def test_a_value_is_shown_as_its_own_json(value: Everything) -> None:
    """Whatever was encoded comes back as the JSON of the value itself, to the last digit."""
    codec = codec_for(Everything)
    shown = decoding(codec).read(codec.encode(value), codec.schema.fingerprint)
    assert shown.problem == ""
    assert shown.value == msgspec.json.decode(msgspec.json.encode(value))


def test_of_a_topic_record_only_the_message_is_shown() -> None:
    """The union that a topic's record wraps around a message is the wire's business."""
    codec = topic_codec("things", "app", [Other, Everything])
    shown = decoding(codec).read(codec.encode(Other(key="k")), codec.schema.fingerprint, "test.Other")
    assert shown.value == {"key": "k"}


@given(st.binary(max_size=80))
def test_any_bytes_give_a_value_or_a_reason(data: bytes) -> None:
    """What is no encoded value is told to be none, and nothing is raised."""
    codec = codec_for(Everything)
    shown = decoding(codec).read(data, codec.schema.fingerprint)
    assert (shown.value is None) == bool(shown.problem)


def test_bytes_are_shown_as_digits_and_maps_as_objects() -> None:
    """Of types that JSON lacks, each has one form."""
    text = """{"type": "record", "name": "R", "fields": [
        {"name": "raw", "type": "bytes"}, {"name": "fixed", "type": {"type": "fixed", "name": "F", "size": 2}},
        {"name": "map", "type": {"type": "map", "values": "double"}},
        {"name": "kind", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}}]}"""
    data = b"\x04\x01\xff" + b"\x00\x0a" + b"\x02\x02a\x00\x00\x00\x00\x00\x00\xf8?\x00" + b"\x02"
    shown = Decoding({"f": text}).read(data, "f")
    assert shown.value == {"raw": "0x01ff", "fixed": "0x000a", "map": {"a": 1.5}, "kind": "B"}


@pytest.mark.parametrize(
    ("texts", "problem"),
    [({}, "the store keeps no schema with fingerprint f"), ({"f": "{"}, "Avro schema at")],
)
def test_a_schema_that_is_not_there_is_told(texts: dict[str, str], problem: str) -> None:
    """A missing or broken schema is a reason too."""
    assert problem in Decoding(texts).read(b"", "f").problem
