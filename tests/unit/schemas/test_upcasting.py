"""Declared upcasts: what a contract was becomes what it is, checked at each step, or nothing is read at all."""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.schemas import (
    Command,
    ContractInvalid,
    DecodeFailed,
    Digits,
    Event,
    Kept,
    Key,
    Record,
    Schema,
    SchemaInvalid,
    State,
    UnknownType,
    codec_for,
    schema_of,
    topic_codec,
    upcast,
)
from tests.unit.schemas.shop import made

ORIGIN = Kept("shop", "m-1", "1")


class Customer1(State):
    """As it was first: one name, an amount in euros."""

    __namespace__ = "shop"
    __contract__ = "Customer"
    name: str = ""
    spent: int = 0


class Customer2(State):
    """Then with two names."""

    __namespace__ = "shop"
    __contract__ = "Customer"
    first: str = ""
    last: str = ""
    spent: int = 0

    @upcast(Customer1)
    @staticmethod
    def split(old: Customer1) -> Customer2:
        """The first word is the first name."""
        first, _, last = old.name.partition(" ")
        return Customer2(first=first, last=last, spent=old.spent)


class Customer(State):
    """Now with an amount in cents."""

    __namespace__ = "shop"
    first: str = ""
    last: str = ""
    spent: Annotated[Decimal, Digits(precision=12, scale=2)] = Decimal("0.00")

    @upcast(Customer2)
    @staticmethod
    def in_cents(old: Customer2) -> Customer:
        """A whole number of euros."""
        if old.spent < 0:
            raise ValueError("a debt")
        return Customer(first=old.first, last=old.last, spent=Decimal(old.spent).quantize(Decimal("0.01")))


class Rename1(Command):
    """A command as it was."""

    __namespace__ = "shop"
    __contract__ = "Rename"
    customer: Key
    name: str


class Rename(Command):
    """A command as it is."""

    __namespace__ = "shop"
    customer: Key
    first: str
    last: str

    @upcast(Rename1)
    @staticmethod
    def split(old: Rename1) -> Rename:
        """The same."""
        first, _, last = old.name.partition(" ")
        return Rename(customer=old.customer, first=first, last=last)


class Renamed(Event):
    """Another branch of the topic."""

    __namespace__ = "shop"
    customer: Key


FIRST, SECOND, NEWEST = codec_for(Customer1), codec_for(Customer2), codec_for(Customer)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def test_a_schema_says_how_many_upcasts_lead_to_it() -> None:
    """And one without is as it was before there were any, to the byte."""
    assert [schema_of(cls).record.upcasts for cls in (Customer1, Customer2, Customer)] == [0, 1, 2]
    assert "upcasts" not in schema_of(Customer1).text
    assert {schema_of(cls).name for cls in (Customer1, Customer2, Customer)} == {"shop.Customer"}


def test_two_versions_that_differ_in_nothing_else_are_two() -> None:
    """A unit of measure may be all that has changed."""
    text = schema_of(Customer1).text
    other = text.replace('"fields"', '"magnetar.upcasts":1,"fields"')
    assert Schema.parse(text) != Schema.parse(other)
    with pytest.raises(SchemaInvalid, match="must be a number"):
        Schema.parse(text.replace('"fields"', '"magnetar.upcasts":"one","fields"'))


def test_each_version_reaches_the_newest() -> None:
    """From wherever in the chain it is."""
    data = FIRST.encode(Customer1(name="Ada Lovelace", spent=3))
    assert NEWEST.decode(data, FIRST.schema, ORIGIN) == Customer(first="Ada", last="Lovelace", spent=Decimal("3.00"))
    data = SECOND.encode(Customer2(first="Ada", last="Byron", spent=2))
    assert NEWEST.decode(data, SECOND.schema, ORIGIN) == Customer(first="Ada", last="Byron", spent=Decimal("2.00"))
    assert Customer2.split(Customer1(name="Ada Lovelace")) == Customer2(first="Ada", last="Lovelace")


@given(WORDS, st.integers(0, 10**9))
def test_a_chain_is_its_steps(name: str, spent: int) -> None:
    """Read at once, or read, saved and read again by each release on the way: the same."""
    data = FIRST.encode(Customer1(name=name, spent=spent))
    step = SECOND.encode(SECOND.decode(data, FIRST.schema, ORIGIN))
    assert NEWEST.decode(data, FIRST.schema, ORIGIN) == NEWEST.decode(step, SECOND.schema, ORIGIN)


def test_other_versions_of_before_are_read_as_what_it_was() -> None:
    """Fields that came and went before the upcast are Avro's to resolve."""
    body = {"__namespace__": "shop", "__annotations__": {"name": str, "hat": str}, "name": "", "hat": ""}
    older = codec_for(made(State, "Customer", body))
    data = older.encode(older.type(name="Ada Lovelace", hat="red"))
    assert NEWEST.decode(data, older.schema, ORIGIN) == Customer(first="Ada", last="Lovelace")


def test_what_an_upcast_raises_is_a_contradiction_of_the_bytes() -> None:
    """With the message, its version, the function and what it said; no default stands in."""
    data = FIRST.encode(Customer1(name="Ada", spent=-1))
    with pytest.raises(
        DecodeFailed, match=r"\(schema version 1\) at \$: upcast Customer.in_cents raised ValueError: a debt"
    ):
        NEWEST.decode(data, FIRST.schema, ORIGIN)


class Point1(State):
    """Before."""

    __namespace__ = "shop"
    __contract__ = "Point"
    x: int = 0


def point(function: Any, x: Any = int, default: Any = 1) -> Any:
    """A contract whose upcast is this function."""
    lift = upcast(Point1)(function)
    body = {"__namespace__": "shop", "__annotations__": {"x": x}, "x": default, "lift": lift}
    return codec_for(made(State, "Point", body))


def test_what_does_not_fit_its_contract_is_refused_with_its_path() -> None:
    """The function's value is checked as if it had been written and read."""
    old, holder = codec_for(Point1), list[Any]()
    with pytest.raises(DecodeFailed, match=r"at \$: upcast .* returned a Point1, not a Point"):
        point(lambda value: value).decode(old.encode(Point1(x=4)), old.schema, ORIGIN)
    codec = point(lambda _: holder[0](x="four"))
    holder.append(codec.type)
    with pytest.raises(DecodeFailed) as caught:
        codec.decode(old.encode(Point1(x=4)), old.schema, ORIGIN)
    assert caught.value.path == "$.x"
    assert "made does not fit: Expected `int`, got `str`" in caught.value.reason


def test_what_comes_out_is_as_it_would_be_read() -> None:
    """An amount without cents is written with two digits, and read so: a handler cannot tell which way it came."""
    holder: list[Any] = []
    amount = Annotated[Decimal, Digits(precision=12, scale=2)]
    codec = point(lambda old: holder[0](x=Decimal(old.x)), amount, Decimal("0.00"))
    holder.append(codec.type)
    old = codec_for(Point1)
    assert str(codec.decode(old.encode(Point1(x=4)), old.schema, ORIGIN).x) == "4.00"


def test_a_check_of_the_type_holds_for_what_was_upcast() -> None:
    """Python does not check what a function puts into a class; reading does."""
    holder: list[Any] = []
    codec = point(lambda old: holder[0](x=old.x - 5), Annotated[int, msgspec.Meta(ge=0)])
    holder.append(codec.type)
    old = codec_for(Point1)
    assert codec.decode(old.encode(Point1(x=5)), old.schema, ORIGIN) == codec.type(x=0)
    with pytest.raises(DecodeFailed) as caught:
        codec.decode(old.encode(Point1(x=4)), old.schema, ORIGIN)
    assert caught.value.path == "$.x"
    assert caught.value.reason.endswith("Expected `int` >= 0")


def test_older_code_has_no_reader_for_what_is_newer() -> None:
    """R30: it waits for newer code, whatever of it could be read."""
    with pytest.raises(UnknownType, match=r"at \$: shop.Customer has no reader here"):
        FIRST.decode(NEWEST.encode(Customer(first="Ada")), NEWEST.schema, ORIGIN)
    old, new = topic_codec("names", "shop", [Rename1, Renamed]), topic_codec("names", "shop", [Rename, Renamed])
    with pytest.raises(UnknownType, match=r"shop\.Rename has no reader here"):
        old.decode(new.encode(Rename(customer="c", first="a", last="b")), new.schema, ORIGIN)
    assert old.decode(new.encode(Renamed(customer="c")), new.schema, ORIGIN) == Renamed(customer="c")


def test_messages_of_a_topic_are_upcast() -> None:
    """Each branch by its own chain."""
    old, new = topic_codec("names", "shop", [Rename1, Renamed]), topic_codec("names", "shop", [Rename, Renamed])
    data = old.encode(Rename1(customer="c", name="Ada Lovelace"))
    assert new.decode(data, old.schema, ORIGIN) == Rename(customer="c", first="Ada", last="Lovelace")
    assert new.decode(old.encode(Renamed(customer="c")), old.schema, ORIGIN) == Renamed(customer="c")


def test_a_message_keeps_its_key() -> None:
    """By it the message was put where it is."""
    holder: list[Any] = []
    body = {
        "__namespace__": "shop",
        "__annotations__": {"customer": Key},
        "lift": upcast(Rename1)(lambda old: holder[0](customer=old.name)),
    }
    codec = codec_for(made(Command, "Rename", body))
    holder.append(codec.type)
    old = codec_for(Rename1)
    with pytest.raises(DecodeFailed, match=r"at \$.customer: upcast .* has changed the key"):
        codec.decode(old.encode(Rename1(customer="c", name="d")), old.schema, ORIGIN)


def test_a_foreign_writer_of_today_that_does_not_say_so_is_refused() -> None:
    """It would be taken for one of before, and its fields dropped without a word."""
    body = {"__namespace__": "shop", "__annotations__": {"customer": Key, "first": str, "last": str}}
    foreign = codec_for(made(Command, "Rename", body))
    data = foreign.encode(foreign.type(customer="c", first="a", last="b"))
    with pytest.raises(DecodeFailed, match=r"at \$.first: .* that lacks magnetar.upcasts"):
        codec_for(Rename).decode(data, foreign.schema, ORIGIN)


def problems(cls: Any) -> tuple[str, ...]:
    """What is wrong with a declaration."""
    with pytest.raises(ContractInvalid) as caught:
        schema_of(cls)
    return caught.value.problems


def test_a_declaration_that_cannot_be_is_refused() -> None:
    """Two in one class; of another contract; of another kind; on a part of a contract."""
    lift = upcast(Customer1)(cast("Any", lambda old: old))
    body: dict[str, Any] = {"__namespace__": "shop", "__annotations__": {"name": str}, "name": ""}
    [found] = problems(made(State, "Customer", body | {"one": lift, "other": lift}))
    assert "declares 2 upcasts" in found
    [found] = problems(made(State, "Client", body | {"one": lift}))
    assert found.endswith('is another contract: set `__contract__ = "Client"` on Customer1')
    [found] = problems(made(Event, "Customer", body | {"one": lift}))
    assert "is of another kind" in found
    part = made(
        Record, "Customer", body | {"one": upcast(made(Record, "Customer", body))(cast("Any", lambda old: old))}
    )
    [found] = problems(made(State, "Holder", {"__annotations__": {"part": part}, "part": part()}))
    assert "declare its upcast on the contract that holds it" in found


def test_the_name_of_a_contract_is_not_inherited() -> None:
    """Or every type made of it would be it, too."""
    heir = made(Customer1, "Heir", {"__annotations__": {}})
    assert schema_of(heir).name == "shop.Heir"
