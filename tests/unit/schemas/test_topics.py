"""A topic's bytes: a union index and a body; an index without reader here is told by the type's name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from magnetar.schemas import (
    Command,
    ContractInvalid,
    DecodeFailed,
    Event,
    Schema,
    UnknownType,
    codec_for,
    schema_of,
    topic_codec,
    topic_schema,
)
from tests.unit.schemas.shop import From, Overdue, Paid, Place, made

HERE = From()


class Shipped(Event):
    """Known to the newer sender only."""

    __namespace__ = "shop"
    order_id: str


OLD = topic_codec("orders", "shop", [Place, Overdue])
NEW = topic_codec("orders", "shop", [Place, Overdue, Shipped])


def test_the_topics_record_wraps_a_union_in_the_given_order() -> None:
    """Also a single type is a union, so that a second one can be added."""
    loaded = json.loads(topic_schema("orders-events.v1", "shop", [Place]).text)
    assert (loaded["namespace"], loaded["name"]) == ("shop", "OrdersEventsV1Topic")
    assert [field["name"] for field in loaded["fields"]] == ["body"]
    assert [branch["name"] for branch in loaded["fields"][0]["type"]] == ["Place"]
    assert [branch["name"] for branch in json.loads(NEW.schema.text)["fields"][0]["type"]] == [
        "Place",
        "Overdue",
        "Shipped",
    ]


def test_a_type_without_reader_here_is_named() -> None:
    """An older worker meets a newer sender: UnknownType carries the full name, and the old types are still read."""
    with pytest.raises(UnknownType) as caught:
        OLD.decode(NEW.encode(Shipped(order_id="o")), NEW.schema, HERE)
    assert caught.value.type == "shop.Shipped"
    assert (caught.value.topic, caught.value.message_id, caught.value.version) == ("orders", "m-1", "7")
    assert OLD.decode(NEW.encode(Overdue()), NEW.schema, HERE) == Overdue()


def test_the_type_is_found_by_name_not_by_index() -> None:
    """A writer whose union has another order is read by its own order."""
    turned = topic_codec("orders", "shop", [Shipped, Overdue, Place])
    place = Place(order_id="o", lines=())
    assert NEW.decode(turned.encode(place), turned.schema, HERE) == place


def test_a_type_of_the_same_short_name_is_another_type() -> None:
    """Names are compared in full."""
    other = Schema.parse(
        topic_schema("orders", "shop", [Overdue]).text.replace('"namespace":"shop","doc"', '"namespace":"mall","doc"')
    )
    with pytest.raises(UnknownType, match=r"mall\.Overdue"):
        OLD.decode(b"\x00", other, HERE)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the bytes end inside the union index"),
        (b"\x01", "union branch -1 does not exist"),
        (b"\x06", "union branch 3 does not exist"),
        (b"\xff" * 11, "more than 10 bytes"),
        (b"\x04", "the bytes end"),
    ],
)
def test_a_broken_index_is_refused(data: bytes, reason: str) -> None:
    """Not an unknown type: a contradiction to the writer's own schema."""
    with pytest.raises(DecodeFailed, match=reason) as caught:
        NEW.decode(data, NEW.schema, HERE)
    assert not isinstance(caught.value, UnknownType)


def test_one_contradicting_type_does_not_spoil_the_others() -> None:
    """Only the branch whose schema contradicts ours is refused, with its path."""
    text = NEW.schema.text.replace('{"name":"order_id","type":"string"}]', '{"name":"order_id","type":"long"}]')
    changed = Schema.parse(text)
    assert changed != NEW.schema
    assert NEW.decode(b"\x02", changed, HERE) == Overdue()
    with pytest.raises(DecodeFailed, match=r"\$\.order_id: was written as long"):
        NEW.decode(b"\x04\x02", changed, HERE)


def test_a_foreign_producers_bare_record_is_taken() -> None:
    """Without our topic record around it, the record's own full name says what it is."""
    place = Place(order_id="o", lines=())
    assert NEW.decode(codec_for(Place).encode(place), schema_of(Place), HERE) == place
    with pytest.raises(UnknownType, match=r"shop\.Paid"):
        NEW.decode(b"", schema_of(Paid), HERE)


def test_a_foreign_producers_bare_union_is_taken() -> None:
    """A union of records as the whole schema is read like a topic's body."""
    union = Schema.parse(f"[{schema_of(Overdue).text}]")
    assert NEW.decode(b"\x00", union, HERE) == Overdue()


@pytest.mark.parametrize(
    "text", ['"string"', '{"type": "record", "name": "T", "fields": [{"name": "body", "type": "long"}]}']
)
def test_a_schema_that_holds_no_messages_is_refused(text: str) -> None:
    """Whatever the bytes are."""
    with pytest.raises(DecodeFailed, match="a topic holds records"):
        NEW.decode(b"\x00", Schema.parse(text), HERE)


def test_a_foreign_branch_that_is_no_record_is_unknown() -> None:
    """A null in a foreign union has no message type."""
    with pytest.raises(UnknownType, match="null has no reader"):
        NEW.decode(b"\x00", Schema.parse(f'["null", {schema_of(Overdue).text}]'), HERE)


def test_a_topic_of_more_than_64_types_has_indexes_of_two_bytes() -> None:
    """The index is a variable-length integer, and read as one."""
    types: list[Any] = [made(Command, f"C{at}", {"__namespace__": "many"}) for at in range(130)]
    codec = topic_codec("many", "many", types)
    for at in (0, 63, 64, 127, 129):
        assert type(codec.decode(codec.encode(types[at]()), codec.schema, HERE)) is types[at]
    assert codec.encode(types[64]()) == b"\x80\x01"


def test_a_wrong_topic_lists_all_its_problems() -> None:
    """No types, a type twice, and whatever is wrong with the types."""

    class Bad(Command):
        values: list[int]

    with pytest.raises(ContractInvalid) as caught:
        topic_schema("orders", "shop", [Bad, Bad])
    assert len(caught.value.problems) == 2
    with pytest.raises(ContractInvalid, match="name at least one"):
        topic_schema("orders", "shop", [])
