"""Reading foreign schema text: what is broken is refused; the fingerprint tells apart what means another value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.schemas import Schema, SchemaInvalid, schema_of
from tests.unit.schemas.shop import CONTRACTS
from tests.unit.schemas.strategies import contract_types

if TYPE_CHECKING:
    import msgspec


def field(kind: Any, **more: Any) -> str:
    """Return the text of a record with one field."""
    return json.dumps({"type": "record", "name": "R", "fields": [{"name": "f", "type": kind, **more}]})


def fixed(size: Any, **more: Any) -> dict[str, Any]:
    """Return a fixed of a size."""
    return {"type": "fixed", "name": "F", "size": size, **more}


def enumeration(*symbols: Any, **more: Any) -> dict[str, Any]:
    """Return an enum of some symbols."""
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


def referring(name: str) -> str:
    """Return the text of a record that names one of two types again."""
    types = [{"type": "fixed", "name": each, "size": 1} for each in ("A", "B")]
    fields = [{"name": f"f{at}", "type": kind} for at, kind in enumerate([*types, name])]
    return json.dumps({"type": "record", "name": "R", "fields": fields})


def decimal(precision: Any, scale: Any = 0, **more: Any) -> dict[str, Any]:
    """Return a decimal."""
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale, **more}


NESTED = '{"type": "array", "items": ' * 70 + '"long"' + "}" * 70
WRAPPED = '{"type": ' * 70 + '"long"' + "}" * 70
DEEP = '{"type": "array", "items": ' * 5000 + '"long"' + "}" * 5000


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        ("", "$", "not JSON"),
        ("{", "$", "not JSON"),
        ("5", "$", "must be a name"),
        ("{}", "$", "needs a type"),
        ('"nothing"', "$", "not defined"),
        ("[]", "$", "empty"),
        ('["null", "null"]', "$", "more than once"),
        ('["null", ["string"]]', "$", "a union directly"),
        ('{"type": "long", "type": "int"}', "$", "same key twice"),
        ('{"type": "array"}', "$[]", "must be a name"),
        (DEEP, "$", "nested"),
        (NESTED, "$[]", "nested deeper than 64"),
        (WRAPPED, "$", "nested deeper than 64"),
        (json.dumps("x" * (1 << 21)), "$", "longer than"),
        ('{"type": "record", "fields": []}', "$", "needs a name"),
        ('{"type": "record", "name": "R"}', "$", "list of fields"),
        ('{"type": "record", "name": "1R", "fields": []}', "$", "not a type name"),
        ('{"type": "record", "name": "string", "fields": []}', "$", "not a type name"),
        ('{"type": "record", "name": "R", "fields": [5]}', "$#0", "must be an object"),
        ('{"type": "record", "name": "R", "fields": [{"name": "a-b", "type": "long"}]}', "$#0", "not a field name"),
        (
            '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}, {"name": "a", "type": "int"}]}',
            "$",
            "more than once",
        ),
        ('{"type": "record", "name": "R", "aliases": "S", "fields": []}', "$", "aliases must be a list"),
        (field("Later"), "$.f", "the type Later is not defined"),
        (field({"type": "record", "name": "R", "fields": []}), "$.f", "defined twice"),
        (field(enumeration()), "$.f", "needs symbols"),
        (field(enumeration("a", "a")), "$.f", "each once"),
        (field(enumeration("a-b")), "$.f", "not an enum symbol"),
        (field(enumeration("a", default="b")), "$.f", "none of the symbols"),
        (field(fixed(-1)), "$.f", "a fixed needs a size"),
        (field(fixed(size=True)), "$.f", "a fixed needs a size"),
        (field(fixed(2**40)), "$.f", "a fixed needs a size"),
        (field(fixed(1, logicalType="decimal", precision=3)), "$.f", "is not possible on fixed"),
        (field(decimal(0)), "$.f", "is not possible on bytes"),
        (field(decimal(None)), "$.f", "is not possible on bytes"),
        (field(decimal(5, 6)), "$.f", "is not possible on bytes"),
        (field(decimal(5, -1)), "$.f", "is not possible on bytes"),
        (field(decimal(10**9)), "$.f", "is not possible on bytes"),
        (field({"type": "string", "logicalType": "decimal", "precision": 3}), "$.f", "is not possible on string"),
        (field({"type": "long", "logicalType": 5}), "$.f", "must be a name"),
        (field("long", default="5"), "$.f", "is not of the type long"),
        (field("long", default=2**63), "$.f", "is not of the type long"),
        (field("int", default=2**31), "$.f", "is not of the type int"),
        (field("int", default=True), "$.f", "is not of the type int"),
        (field("boolean", default=0), "$.f", "is not of the type boolean"),
        (field("double", default="1"), "$.f", "is not of the type double"),
        (field("string", default=None), "$.f", "is not of the type string"),
        (field("bytes", default="\u0100"), "$.f", "is not of the type bytes"),
        (field(fixed(2), default="abc"), "$.f", "is not of the type fixed"),
        (field(enumeration("a"), default="b"), "$.f", "is not of the type enum"),
        (field(["null", "string"], default="a"), "$.f", "is not of the type null, the union's first"),
        (field({"type": "array", "items": "long"}, default=[1, "a"]), "$.f[1]", "is not of the type long"),
        (field({"type": "map", "values": "long"}, default={"k": "a"}), "$.f{k}", "is not of the type long"),
        (
            field({"type": "record", "name": "S", "fields": [{"name": "g", "type": "long"}]}, default={}),
            "$.f",
            "lacks the field g",
        ),
        (
            field({"type": "record", "name": "S", "fields": [{"name": "g", "type": "long"}]}, default={"g": "a"}),
            "$.f.g",
            "not of the type",
        ),
    ],
)
def test_a_broken_schema_is_refused_with_its_path(text: str, path: str, reason: str) -> None:
    """SchemaInvalid says where and what."""
    with pytest.raises(SchemaInvalid) as caught:
        Schema.parse(text)
    assert caught.value.path.startswith(path)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    "text",
    ['"long"', '["null", "string"]', '{"type": "map", "values": "bytes"}', field(fixed(0)), field(enumeration("a"))],
)
def test_any_right_schema_is_read(text: str) -> None:
    """Not only records."""
    assert Schema.parse(text).fingerprint


BASE = field(decimal(12, 2), default="")
SAME = [
    json.dumps(json.loads(BASE), indent=3),
    field(decimal(12, 2), default="", doc="told"),
    field(decimal(12, 2, foreign="attribute"), default=""),
    json.dumps({"doc": "d", "namespace": "", **json.loads(BASE)}),
]
OTHER = [
    field(decimal(12, 4), default=""),
    field(decimal(13, 2), default=""),
    field(decimal(12, 2), default="\u0001"),
    field(decimal(12, 2)),
    field(decimal(12, 2), default="", aliases=["g"]),
    field("bytes", default=""),
    json.dumps({**json.loads(BASE), "aliases": ["Q"]}),
    json.dumps({**json.loads(BASE), "namespace": "n"}),
    field(["null", "long"]),
    field(["long", "null"]),
    field("long"),
    field({"type": "long", "logicalType": "timestamp-micros"}),
    field({"type": "long", "logicalType": "timestamp-millis"}),
    field({"type": "long", "logicalType": "made-up"}),
    field(fixed(4)),
    field(fixed(5)),
    field(enumeration("a", "b")),
    field(enumeration("b", "a")),
    field(enumeration("a", "b", default="a")),
    field(enumeration("a", "b", default="b")),
    referring("A"),
    referring("B"),
    field(["null", "long"], default=None),
]


def test_a_fingerprint_ignores_what_changes_no_value() -> None:
    """Layout, order of attributes, documentation, and attributes that Avro does not know."""
    assert {Schema.parse(text).fingerprint for text in [BASE, *SAME]} == {Schema.parse(BASE).fingerprint}
    assert len(Schema.parse(BASE).fingerprint) == 32


def test_a_fingerprint_tells_apart_what_changes_a_value() -> None:
    """Scale, precision, units, sizes, names, aliases, defaults, symbols and the order of a union."""
    assert len({Schema.parse(text).fingerprint for text in [BASE, *OTHER]}) == 1 + len(OTHER)


def test_a_fingerprint_is_the_same_for_ever() -> None:
    """Fingerprints are stored with messages and states: the way they are made cannot change."""
    assert Schema.parse(BASE).fingerprint == "64a29d011e49b5b63c0ecda82087ac31"


def test_a_schema_of_very_many_types_is_read_in_time() -> None:
    """Work grows with the text, not with its square."""
    symbols = [f"s{at}" for at in range(40_000)]
    assert Schema.parse(field(enumeration(*symbols))).name == "R"
    fields = [{"name": name, "type": "long"} for name in symbols[:15_000]]
    assert Schema.parse(json.dumps({"type": "record", "name": "R", "fields": fields})).name == "R"
    union = [{"type": "fixed", "name": name, "size": 1} for name in symbols[:15_000]]
    assert Schema.parse(field(union)).name == "R"


def test_names_may_be_written_in_all_of_avros_ways() -> None:
    """A dotted name, a namespace beside it, and a name that inherits it are one name."""
    inner: dict[str, Any] = {"type": "record", "name": "S", "fields": []}
    texts: list[dict[str, Any]] = [
        {"type": "record", "name": "a.b.R", "fields": [{"name": "f", "type": inner}]},
        {
            "type": "record",
            "name": "R",
            "namespace": "a.b",
            "fields": [{"name": "f", "type": inner | {"namespace": "a.b"}}],
        },
        {
            "type": "record",
            "name": "R",
            "namespace": "a.b",
            "fields": [{"name": "f", "type": inner | {"name": "a.b.S"}}],
        },
    ]
    assert len({Schema.parse(json.dumps(text)).fingerprint for text in texts}) == 1
    aliased = [{**texts[1], "aliases": [alias]} for alias in ("Q", "a.b.Q", "c.Q")]
    first, second, third = (Schema.parse(json.dumps(text)).fingerprint for text in aliased)
    assert first == second != third


@pytest.mark.parametrize("cls", CONTRACTS)
def test_our_schemas_are_right_avro_to_others(cls: type[msgspec.Struct]) -> None:
    """Every derived text is parsed by fastavro."""
    assert fastavro.parse_schema(json.loads(schema_of(cls).text))


@given(data=st.data())
def test_every_derived_schema_is_right_avro_to_others(data: st.DataObject) -> None:
    """Whatever the type."""
    assert fastavro.parse_schema(json.loads(schema_of(data.draw(contract_types())).text))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["record", "enum", "array", "long", "string", "R", "a.b"])
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "name", "fields", "items", "values", "symbols", "size", "default", "aliases"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(made=JSON)
def test_any_json_is_a_schema_or_refused(made: Any) -> None:
    """Nothing but SchemaInvalid is raised."""
    try:
        schema = Schema.parse(json.dumps(made))
    except SchemaInvalid:
        return
    assert Schema.parse(schema.text) == schema
