"""Samples of every released version are read by its own type, by every later one, and written again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
from hypothesis import given

from magnetar.schemas import Codec, Contracts, Event, Kept, Record, Schema, State, codec_for, gate, schema_of
from magnetar.schemas.gate import raw
from magnetar.schemas.gate.agreeing import disagreement
from magnetar.schemas.gate.golden import broken_among
from magnetar.schemas.gate.releasing import golden
from magnetar.schemas.gate.sampling import samples
from magnetar.schemas.generation import pretty
from tests.unit.schemas.gate.test_registry import WORKING, released
from tests.unit.schemas.shop import made
from tests.unit.schemas.strategies import contract_types


def working(cls: type[Any]) -> gate.Working:
    """An app with one contract."""
    return gate.working_of(Contracts("shop", [cls], {}), {}, 0)


def checked(directory: Path, now: gate.Working) -> list[gate.Finding]:
    """What the gate says."""
    return gate.check(gate.load(directory), now, gate.Settings())


def event(quantity: Any) -> type[Event]:
    """An event with one field of a type."""
    cls: type[Event] = made(Event, "Bought", {"__namespace__": "shop", "__annotations__": {"quantity": quantity}})
    return cls


DOC = msgspec.Meta(description="how many")


@given(contract_types())
def test_samples_are_values_of_any_type(cls: type[Record]) -> None:
    """The real codec takes them, and writes the same bytes as fastavro did."""
    schema, codec = schema_of(cls), codec_for(cls)
    found = samples(schema.shape)
    assert len(found) >= 1
    for value in found:
        data = raw.write(pretty(schema), value)
        assert codec.encode(codec.decode(data, schema, Kept("shop", "sample"))) == data
        assert disagreement(value, raw.read(data, pretty(schema)), schema.shape, schema.shape) is None


def test_every_branch_of_a_topic_has_a_sample() -> None:
    """And each message's sizes: the least, a full one, the largest."""
    found = golden(WORKING.contracts["topics/orders"])
    assert {each.value["body"][0] for each in found} == {"shop.Place", "shop.Overdue"}


def test_a_type_that_became_stricter_is_found(tmp_path: Path) -> None:
    """No schema tells of a check of the type's own, but what was written no longer is read."""
    released(tmp_path, working(event(Annotated[int, DOC])))
    assert checked(tmp_path, working(event(Annotated[int, DOC]))) == []
    found = checked(tmp_path, working(event(Annotated[int, msgspec.Meta(description="how many", ge=1)])))
    assert {(each.rule, each.path) for each in found} == {("golden", "$.quantity")}


def test_a_type_that_was_strict_from_the_start_is_let_be(tmp_path: Path) -> None:
    """Samples that it never took are no samples of it."""
    strict = working(event(Annotated[int, msgspec.Meta(description="how many", ge=1)]))
    released(tmp_path, strict)
    assert checked(tmp_path, strict) == []


def test_a_codec_that_reads_another_value_is_found(tmp_path: Path) -> None:
    """A defect of ours would change what is stored: the samples say what it was."""
    one = working(event(Annotated[int, DOC]))
    released(tmp_path, one)
    contract = one.contracts["shop.Bought"]
    assert contract.codec is not None
    broken = replace(contract, codec=Doubling(contract.codec))
    found = checked(tmp_path, gate.Working({"shop.Bought": broken}))
    assert {(each.rule, each.path) for each in found} == {("golden", "$.quantity")}


class Doubling:
    """A codec with a defect."""

    def __init__(self, codec: Codec[Any]) -> None:
        self._codec = codec
        self.schema = codec.schema

    def encode(self, value: Any) -> bytes:
        """As it should."""
        return self._codec.encode(value)

    def decode(self, data: bytes, writer: Schema, origin: Any) -> Any:
        """Twice as much, where that fits."""
        value = self._codec.decode(data, writer, origin)
        return type(value)(quantity=(value.quantity * 2) % 2**40)


def test_a_sample_of_a_state_is_its_default(tmp_path: Path) -> None:
    """What every store holds: the state of a key that was met and not changed."""
    seat = made(
        State, "Seat", {"__namespace__": "shop", "__annotations__": {"status": Annotated[str, DOC]}, "status": "new"}
    )
    found = golden(working(seat).contracts["shop.Seat"])
    assert {"status": "new"} in [each.value for each in found]
    released(tmp_path, working(seat))
    assert checked(tmp_path, working(seat)) == []


def test_a_sample_that_says_something_else_than_when_it_was_made_is_found(tmp_path: Path) -> None:
    """Whatever has changed in what reads it; bytes that nobody reads are told too."""
    one = working(event(Annotated[int, DOC]))
    registry = released(tmp_path, one)
    version = registry.versions["shop.Bought"][0]
    for wrong in ({"value": {"quantity": 12345}}, {"bytes": "80"}):
        samples_ = tuple(msgspec.structs.replace(sample, **wrong) for sample in version.golden[:1])
        registry.versions["shop.Bought"] = [replace(version, golden=samples_)]
        [found] = gate.check(registry, one, gate.Settings())
        assert (found.rule, found.versions) == ("golden", ("1", "1"))
        assert "is not read as it was" in found.reason


def test_versions_in_between_read_each_other(tmp_path: Path) -> None:
    """What was let pass when it was released is passed over; anything else between two released versions is found."""
    one = working(event(Annotated[int, DOC]))
    registry = released(tmp_path, one)
    first = registry.versions["shop.Bought"][0]
    text = first.text.replace('"long"', '"string"')
    registry.versions["shop.Bought"] += [replace(first, number=2, text=text, schema=Schema.parse(text), golden=())]
    assert list(broken_among(registry.versions["shop.Bought"])) == []
    registry.versions["shop.Bought"][1] = replace(first, number=2, text=text, golden=())  # as if the shapes were equal
    found = list(broken_among(registry.versions["shop.Bought"]))
    assert {(each.version, each.later) for each in found} == {("1", "2")}
