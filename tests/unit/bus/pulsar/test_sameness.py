"""Two schemas are one to a broker, or not: what counts, and what does not. `test_broker_agrees` asks a real one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.bus.pulsar.sameness import normal

FIELD: dict[str, Any] = {"name": "f", "type": "string", "default": "x"}
ENUM: dict[str, Any] = {"type": "enum", "name": "E", "symbols": ["A", "B"]}


def record(*fields: Any, **more: Any) -> dict[str, Any]:
    """A record."""
    return {"type": "record", "name": "R", "namespace": "shop", "fields": list(fields), **more}


def enum_field(**more: Any) -> dict[str, Any]:
    """A record with an enum."""
    return record({"name": "e", "type": {**ENUM, **more}})


def fixed(**more: Any) -> dict[str, Any]:
    """A record with two uses of one type."""
    one = {"type": "fixed", "name": "F", "size": 4, **more}
    return record({"name": "a", "type": one}, {"name": "b", "type": {"type": "array", "items": "F"}})


SAME = [
    (record(FIELD), record({**FIELD, "doc": "said"}, doc="said", aliases=["Old"])),
    (record(FIELD), record({**FIELD, "aliases": ["g"], "order": "ascending"})),
    (record(FIELD), record(FIELD, name="shop.R", namespace="elsewhere")),
    (record(FIELD), record({**FIELD, "type": {"type": "string"}})),
    (enum_field(), enum_field(default="A")),
    (enum_field(default="B"), enum_field(default="A", doc="said")),
    (enum_field(), enum_field(name="shop.E")),
    (fixed(), fixed(aliases=["G"])),
    (
        fixed(),
        record(
            {"name": "a", "type": {"type": "fixed", "name": "shop.F", "size": 4}},
            {"name": "b", "type": {"type": "array", "items": "shop.F"}},
        ),
    ),
]
OTHER = [
    (record(FIELD), record({**FIELD, "default": "y"})),
    (record(FIELD), record({"name": "f", "type": "string"})),
    (record(FIELD), record(FIELD, name="S")),
    (record(FIELD), record(FIELD, namespace="elsewhere")),
    (record(FIELD), record({**FIELD, "order": "descending"})),
    (record(FIELD), record({**FIELD, "note": "ours"})),
    (record({**FIELD, "type": "int", "default": 0}), record({**FIELD, "type": "int", "default": False})),
    (enum_field(), enum_field(symbols=["B", "A"])),
    (fixed(), fixed(size=5)),
    (fixed(), fixed(logicalType="decimal", precision=4, scale=2)),
    (fixed(logicalType="decimal", precision=4, scale=1), fixed(logicalType="decimal", precision=4, scale=2)),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_does_not_count(one: Any, other: Any) -> None:
    """Docs, aliases, the default of an enum, how a name is written."""
    assert normal(json.dumps(one)) == normal(json.dumps(other, indent=2) + "\n")


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_counts(one: Any, other: Any) -> None:
    """Everything else."""
    assert normal(json.dumps(one)) != normal(json.dumps(other))


def test_a_text_that_is_no_schema_is_like_itself_alone() -> None:
    """Whatever a broker holds under a topic's name."""
    assert normal("{") == normal("{") != normal("{ ")
    assert normal("[1, null, {}]") == normal("[1,null,{}]")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["type", "name", "fields", "items", "doc", "namespace", "x"]), inner)
        ),
    )
)
def test_any_json_has_a_normal_form_of_its_own(value: Any) -> None:
    """Which is its own normal form; none is too strange to be read."""
    form = normal(json.dumps(value))
    assert normal(form) == form
