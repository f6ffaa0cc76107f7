"""Hostile and broken bytes, one kind at a time: each is a DecodeFailed that names the place."""

from __future__ import annotations

import json
import struct
import tracemalloc
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
import pytest

from magnetar.schemas import DecodeFailed, Digits, Event, Int32, Millis, Record, Schema, codec_for
from magnetar.schemas.bytewise import BadBytes, read_long
from magnetar.schemas.codec import MOST_BYTES
from magnetar.schemas.inspection import MOST_DEPTH, MOST_VALUES
from tests.unit.schemas.shop import From, Status, Tree

HERE = From()
MINUTE_OF_MEMORY = 64 << 20


class Texts(Record):
    """A text and what follows it."""

    text: str
    flag: bool


class Inner(Record):
    """One number."""

    number: int


class Deep(Event):
    """Things that paths lead into."""

    lines: tuple[Inner, ...]
    table: Mapping[str, Inner]


class Chosen(Record):
    """Things with an index."""

    note: str | None
    status: Status


class Small(Record):
    """A 32-bit integer."""

    small: Int32


class Instants(Record):
    """An instant."""

    at: datetime


class Thousandths(Record):
    """An instant in milliseconds."""

    then: Millis


class Named(Record):
    """A UUID."""

    reference: UUID


class Priced(Record):
    """Four digits, two after the point."""

    amount: Annotated[Decimal, Digits(precision=4, scale=2)]


class Real(Record):
    """A double."""

    real: float


class Raw(Record):
    """Bytes."""

    raw: bytes


def refusal(cls: type[msgspec.Struct], data: bytes, writer: Schema | None = None) -> DecodeFailed:
    """Return the error that decoding ends in."""
    codec = codec_for(cls)
    with pytest.raises(DecodeFailed) as caught:
        codec.decode(data, writer or codec.schema, HERE)
    return caught.value


def long(number: int) -> bytes:
    """Return a number as Avro writes it."""
    raw = (number << 1) ^ (number >> 63)
    out = bytearray()
    while raw > 127:
        out.append(raw & 127 | 128)
        raw >>= 7
    return bytes([*out, raw])


OVERLONG = b"\xff" * 10 + b"\x01"
TOO_WIDE = b"\xff" * 9 + b"\x02"


@pytest.mark.parametrize(
    ("cls", "data", "path", "reason"),
    [
        (Texts, b"\x02a\x01\x00", "$", "1 bytes are left"),
        (Texts, b"\x02a", "$.flag", "needs 1 bytes, but only 0"),
        (Texts, b"\x08a", "$.text", "needs 4 bytes, but only 1"),
        (Texts, b"", "$.text", "the bytes end"),
        (Texts, b"\x01\x00", "$.text", "length -1"),
        (Texts, b"\x02a\x02", "$.flag", "a boolean is 0 or 1, not 2"),
        (Texts, b"\x02\xff\x01", "$.text", "not UTF-8"),
        (Texts, b"\x06\xed\xa0\x80\x01", "$.text", "not UTF-8"),
        (Texts, OVERLONG, "$.text", "more than 10 bytes"),
        (Texts, TOO_WIDE, "$.text", "more than 64 bits"),
        (Inner, OVERLONG, "$.number", "more than 10 bytes"),
        (Inner, TOO_WIDE, "$.number", "more than 64 bits"),
        (Inner, b"\x80" * 9 + b"\x02", "$.number", "more than 64 bits"),
        (Inner, b"\x80", "$.number", "the bytes end"),
        (Small, long(2**31), "$.small", "more than 32 bits"),
        (Small, long(-(2**31) - 1), "$.small", "more than 32 bits"),
        (Chosen, b"\x01\x02a\x00", "$.note", "union branch -1"),
        (Chosen, b"\x03\x00\x00", "$.note", "union branch -2"),
        (Chosen, b"\x04\x02a\x00", "$.note", "union branch 2"),
        (Chosen, b"\x00\x01", "$.status", "enum symbol -1"),
        (Chosen, b"\x00\x06", "$.status", "enum symbol 3"),
        (Deep, b"\x02\x80", "$.lines[0].number", "the bytes end"),
        (Deep, b"\x00\x02\x04ab", "$.table[ab].number", "the bytes end"),
        (Deep, b"\x00\x04\x02a\x02\x02a\x02\x00", "$.table", "occurs twice"),
        (Deep, long(2**62) + b"\x00\x00", "$.lines", f"a block of {2**62} items"),
        (Deep, long(-3) + long(2) + b"\x02\x02\x02\x00\x00", "$.lines", "a block's size contradicts"),
        (Deep, long(-(2**63)) + long(2) + b"\x00\x00", "$.lines", f"a block of {2**63} items"),
        (Deep, b"\x00" + long(2**40) + b"\x00", "$.table", f"a block of {2**40} items"),
        (Instants, long(2**62), "$.at", "between the years 1 and 9999"),
        (Instants, long(-(2**62)), "$.at", "between the years 1 and 9999"),
        (Thousandths, long(2**48), "$.then", "no timestamp-millis between the years 1 and 9999"),
        (Named, b"\x48" + b"{" * 36, "$.reference", "is not a UUID"),
        (Named, b"\x40" + b"1" * 32, "$.reference", "is not a UUID"),
        (Named, b"\x48" + b"1_345678-1234-1234-1234-123456789012", "$.reference", "is not a UUID"),
        (Priced, b"\x04\x27\x10", "$.amount", "do not fit decimal(4, 2)"),
        (Priced, b"\x04\xd8\xf0", "$.amount", "do not fit decimal(4, 2)"),
        (Priced, b"\x00", "$.amount", "do not fit decimal(4, 2)"),
        (Real, struct.pack("<d", float("nan")), "$.real", "NaN"),
        (Real, b"\x00" * 7, "$.real", "needs 8 bytes"),
        (Raw, b"\x03", "$.raw", "length -2"),
    ],
)
def test_broken_bytes_are_refused_with_their_path(
    cls: type[msgspec.Struct],
    data: bytes,
    path: str,
    reason: str,
) -> None:
    """The error names the field and says what is wrong with it."""
    error = refusal(cls, data)
    assert error.path == path
    assert reason in error.reason


def test_the_error_says_to_which_message_it_happened() -> None:
    """Topic, message id and schema version are in the error and in its text."""
    error = refusal(Texts, b"")
    assert (error.topic, error.message_id, error.version) == ("orders", "m-1", "7")
    assert str(error) == "cannot decode message m-1 of orders (schema version 7) at $.text: the bytes end inside it"


def test_blocks_with_a_size_are_read() -> None:
    """Java's blocking encoder writes a negative count and the block's size; that is right Avro."""
    codec = codec_for(Deep)
    data = long(-2) + long(2) + b"\x02\x04" + b"\x02\x06" + b"\x00" + b"\x00"
    assert codec.decode(data, codec.schema, HERE) == Deep(lines=_inner(1, 2, 3), table={})


def _inner(*numbers: int) -> tuple[Inner, ...]:
    return tuple(Inner(number=number) for number in numbers)


def test_a_body_above_five_mebibytes_is_refused_unread() -> None:
    """The limit holds however right the bytes are; one byte less is read."""
    codec = codec_for(Raw)
    most = MOST_BYTES - 4
    right = long(most) + b"x" * most
    assert len(right) == MOST_BYTES
    assert codec.decode(right, codec.schema, HERE).raw == b"x" * most
    assert "are more than" in refusal(Raw, right + b"x").reason


@pytest.mark.parametrize("items", ["null", {"type": "record", "name": "Empty", "fields": []}])
def test_items_without_bytes_cannot_be_counted_up(items: object) -> None:
    """A foreign array of nulls or of empty records costs no more than the limit of values, whatever its count."""
    fields = [{"name": "number", "type": "long"}, {"name": "more", "type": {"type": "array", "items": items}}]
    text = msgspec.json.encode({"type": "record", "name": "Inner", "namespace": "tests", "fields": fields}).decode()
    few = b"\x02" + long(1000) + b"\x00"
    assert codec_for(Inner).decode(few, Schema.parse(text), HERE) == Inner(number=1)
    tracemalloc.start()
    for hostile in (long(2**62), long(MOST_VALUES) * 2, long(MOST_VALUES + 1)):
        assert refusal(Inner, b"\x02" + hostile + b"\x00", Schema.parse(text)).path.startswith("$.more")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MINUTE_OF_MEMORY


def test_a_message_of_very_many_small_values_is_refused() -> None:
    """Five mebibytes of one-byte items would take gigabytes as objects: values are counted."""
    codec = codec_for(Deep)
    most = MOST_VALUES // 2 - 2  # a record and its number each, and the message with its two fields
    some = long(most) + b"\x02" * most + b"\x00\x00"
    assert len(codec.decode(some, codec.schema, HERE).lines) == most
    assert "holds more than" in refusal(Deep, long(most + 1) + b"\x02" * (most + 1) + b"\x00\x00").reason
    count = 5_000_000
    error = refusal(Deep, long(count) + b"\x02" * count + b"\x00\x00")
    assert error.path == "$.lines"
    assert "does not fit" in error.reason


def test_a_value_nested_too_deeply_is_refused() -> None:
    """A type that contains itself is followed to a fixed depth, not to the end of the stack."""
    codec = codec_for(Tree)
    level = b"\x00" + b"\x02\x00" + b"\x00" + b"\x02"
    leaf = b"\x00" + b"\x02\x00" + b"\x00" + b"\x00"
    assert codec.decode(level * MOST_DEPTH + leaf, codec.schema, HERE) != Tree()
    assert "nested deeper" in refusal(Tree, level * (MOST_DEPTH + 1) + leaf).reason
    assert "nested deeper" in refusal(Tree, level * 100_000 + leaf).reason


def test_a_small_schema_cannot_stand_for_a_huge_value() -> None:
    """Sixty records, each twice in the next, are a value of no bytes and 2**60 parts: it is counted, and refused."""
    fields = [{"name": "number", "type": "long"}]
    inner: dict[str, object] = {"type": "record", "name": "R0", "fields": []}
    for at in range(1, 60):
        pair = [{"name": "a", "type": inner}, {"name": "b", "type": f"R{at - 1}"}]
        inner = {"type": "record", "name": f"R{at}", "fields": pair}
    text = json.dumps(
        {"type": "record", "name": "Inner", "namespace": "tests", "fields": [*fields, {"name": "m", "type": inner}]}
    )
    assert "more than 250000 values" in refusal(Inner, b"\x02", Schema.parse(text)).reason


def test_a_schema_nested_deeply_inside_itself_is_refused() -> None:
    """Where the stack ends before the limit of depth is met, that is a DecodeFailed, too."""
    kind: object = ["null", "Inner"]
    for _ in range(50):
        kind = {"type": "array", "items": kind}
    fields = [{"name": "number", "type": "long"}, {"name": "deep", "type": kind}]
    text = json.dumps({"type": "record", "name": "Inner", "namespace": "tests", "fields": fields})
    level = b"\x02" + b"\x02" * 50 + b"\x02"
    assert (
        refusal(Inner, level * 60 + b"\x02" + b"\x00" + b"\x00" * 50 * 60, Schema.parse(text)).reason
        == "is nested too deeply"
    )


def test_a_types_own_check_is_a_verdict_too() -> None:
    """What a type refuses in its constructor is a DecodeFailed with the path, whatever it raises."""

    class Strict(Record):
        number: int

        def __post_init__(self) -> None:
            if self.number == 1:
                raise ValueError("one is not allowed")
            if self.number == 2:
                raise LookupError("two is not known")

    assert "one is not allowed" in refusal(Strict, b"\x02").reason
    assert "two is not known" in refusal(Strict, b"\x04").reason


def test_integers_are_read_up_to_64_bits() -> None:
    """The limits themselves are right, one bit more is not."""
    for number in (2**63 - 1, -(2**63), 0, -1):
        assert read_long(long(number), 0) == (number, len(long(number)))
    with pytest.raises(BadBytes):
        read_long(TOO_WIDE, 0)
