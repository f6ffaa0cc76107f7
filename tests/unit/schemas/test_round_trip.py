"""Every value of every contract type survives encoding; no bytes give anything but a value or a DecodeFailed."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

import io
import struct
from decimal import Decimal
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.schemas import Codec, Command, DecodeFailed, Message, Record, State, codec_for, replace, topic_codec
from magnetar.schemas.inspection import inspect
from magnetar.schemas.malformed import Malformed
from magnetar.schemas.opinion import Plain
from magnetar.schemas.reading import reader
from magnetar.schemas.weights import Weights
from tests.unit.schemas.shop import CONTRACTS, MESSAGES, PAID, From, Order, Paid, Place, Tree
from tests.unit.schemas.strategies import contract_types, structs

HERE = From()


@pytest.mark.parametrize("cls", CONTRACTS)
@given(data=st.data())
def test_every_value_of_every_kind_of_contract_comes_back_equal(cls: type[msgspec.Struct], data: st.DataObject) -> None:
    """Decode what encode wrote, and it is the same value, written the same way again."""
    codec = codec_for(cls)
    value = data.draw(structs(cls))
    encoded = codec.encode(value)
    decoded = codec.decode(encoded, codec.schema, HERE)
    assert decoded == value
    assert codec.encode(decoded) == encoded


@given(data=st.data())
def test_every_contract_type_that_can_be_written_round_trips(data: st.DataObject) -> None:
    """A drawn type derives a schema, and drawn values of it come back equal."""
    cls = data.draw(contract_types(data.draw(st.sampled_from([Record, Command, State]))))
    codec = codec_for(cls)
    value = data.draw(structs(cls))
    assert codec.decode(codec.encode(value), codec.schema, HERE) == value


@given(data=st.data())
def test_a_topic_gives_back_each_of_its_messages(data: st.DataObject) -> None:
    """The union index in front leads to the right type."""
    codec = topic_codec("orders", "shop", MESSAGES)
    value: Any = data.draw(st.one_of(*(structs(cls) for cls in MESSAGES)))
    decoded = codec.decode(codec.encode(value), codec.schema, HERE)
    assert type(decoded) is type(value)
    assert decoded == value


@given(value=structs(Place))
def test_a_topics_bytes_are_plain_avro_of_its_schema(value: Place) -> None:
    """A foreign reader, with nothing but the topic's schema text, reads the same fields."""
    codec = topic_codec("orders", "shop", MESSAGES)
    stream = io.BytesIO(codec.encode(value))
    parsed = fastavro.parse_schema(msgspec.json.decode(codec.schema.text))
    read: Any = fastavro.schemaless_reader(stream, parsed, None)
    assert stream.read() == b""
    assert read["body"]["order_id"] == value.order_id
    assert [line["price"] for line in read["body"]["lines"]] == [line.price for line in value.lines]


@pytest.mark.parametrize("cls", CONTRACTS)
@given(noise=st.binary(max_size=200))
def test_random_bytes_give_a_value_or_decode_failed(cls: type[msgspec.Struct], noise: bytes) -> None:
    """Nothing else is raised, and a value that was accepted can be written again."""
    codec = codec_for(cls)
    try:
        value = codec.decode(noise, codec.schema, HERE)
    except DecodeFailed as error:
        refused = error
    else:
        assert codec.decode(codec.encode(value), codec.schema, HERE) == value
        return
    assert (refused.topic, refused.message_id, refused.version) == ("orders", "m-1", "7")
    assert refused.path.startswith("$")
    assert refused.reason


@st.composite
def mutated(draw: st.DrawFn, cls: type[msgspec.Struct]) -> bytes:
    """Return the bytes of a value with a few bytes changed, added or taken away."""
    data = bytearray(codec_for(cls).encode(draw(structs(cls))))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2) | st.sampled_from([b"\x01", b"\xff" * 11]))
    return bytes(data)


@pytest.mark.parametrize("cls", [Paid, Order, Tree])
@given(data=st.data())
def test_mutated_bytes_give_a_value_or_decode_failed(cls: type[msgspec.Struct], data: st.DataObject) -> None:
    """As random bytes, but near to right ones, so that the damage sits deep inside."""
    codec = codec_for(cls)
    noise = data.draw(mutated(cls))
    try:
        value = codec.decode(noise, codec.schema, HERE)
    except DecodeFailed:
        return
    assert codec.decode(codec.encode(value), codec.schema, HERE) == value


@given(noise=st.binary(max_size=60) | mutated(Paid))
def test_decoding_and_the_inspection_judge_alike(noise: bytes) -> None:
    """A value comes out exactly if the careful walk finds nothing wrong, although the fast one went first."""
    codec = codec_for(Paid)
    shape = codec.schema.shape
    try:
        sound = inspect(noise, 0, shape.root, shape.names, Weights(shape.names)) == len(noise)
    except Malformed:
        sound = False
    try:
        codec.decode(noise, codec.schema, HERE)
        decoded = True
    except DecodeFailed:
        decoded = False
    assert decoded == sound


@given(noise=st.binary(max_size=60) | mutated(Paid))
def test_the_reader_lets_through_only_what_the_conversion_checks(noise: bytes) -> None:
    """Digits of a UUID and of decimals are left to the conversion; all else the reader itself refuses."""
    shape = codec_for(Paid).schema.shape
    weights = Weights(shape.names)
    try:
        found = reader(shape.root, shape.names, weights)(noise, 0)[1] == len(noise)
    except (IndexError, ValueError, OverflowError, struct.error):  # BadBytes and bad UTF-8 are ValueErrors
        found = False
    try:
        reason = "" if inspect(noise, 0, shape.root, shape.names, weights) == len(noise) else "left over"
    except Malformed as error:
        reason = error.reason
    if found:
        assert not reason or any(left in reason for left in ("is not a UUID", "do not fit decimal"))
    else:
        assert reason


@given(value=structs(Paid), cut=st.integers(0, 400))
def test_no_beginning_of_a_message_is_a_message(value: Paid, cut: int) -> None:
    """Bytes that were cut off anywhere are refused."""
    codec = codec_for(Paid)
    encoded = codec.encode(value)
    if cut < len(encoded):
        with pytest.raises(DecodeFailed):
            codec.decode(encoded[:cut], codec.schema, HERE)


def test_what_fastavro_is_given_holds_no_decimals() -> None:
    """Decimals are converted here: fastavro's decimal context is shared by all threads, and it rounds."""
    shape = codec_for(Paid).schema.shape
    assert "decimal" not in str(Plain(shape).json(shape.root))


@pytest.mark.parametrize("size", [63, 64, 127, 8191, 8192, 65_000, 70_000, 1_100_000])
def test_texts_of_every_length_come_back(size: int) -> None:
    """Lengths of one to four bytes, in messages that are walked fast and in such that are counted."""
    codec = codec_for(Paid)
    value = replace(
        PAID, text="x" * size, raw=b"y" * size, tags={"k" * size: Decimal(1)}, counts=(tuple(range(200)),) * 70
    )
    assert codec.decode(codec.encode(value), codec.schema, HERE) == value


def test_a_codec_is_a_codec() -> None:
    """Both kinds satisfy the protocol that a faster one will."""
    one: Codec[Place] = codec_for(Place)
    many: Codec[Message] = topic_codec("orders", "shop", MESSAGES)
    assert one.schema.name == "shop.Place"
    assert many.schema.name == "shop.OrdersTopic"
