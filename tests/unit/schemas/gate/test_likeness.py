"""What is alike needs no trial: whoever reads Avro at all reads it right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magnetar.schemas import Schema, SchemaInvalid
from magnetar.schemas.gate import raw
from magnetar.schemas.gate.agreeing import disagreement
from magnetar.schemas.gate.checking import _is_plain
from magnetar.schemas.gate.independent import refusal, unread
from magnetar.schemas.gate.likeness import alike
from magnetar.schemas.gate.sampling import samples
from magnetar.schemas.resolution import resolve
from magnetar.schemas.shapes import UPCASTS
from tests.unit.schemas.gate.evolving import Maker, text_of

LINE = {"type": "record", "name": "Line", "fields": [{"name": "sku", "type": "string"}]}
OTHER_LINE = {"type": "record", "name": "Line", "fields": [{"name": "sku", "type": "bytes"}]}


def record(*fields: dict[str, Any], upcasts: int = 0) -> Schema:
    """A schema of a record with these fields."""
    named = {"type": "record", "name": "R", "namespace": "shop", "fields": list(fields)}
    return Schema.parse(json.dumps(named | ({UPCASTS: upcasts} if upcasts else {})))


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    """One field."""
    return {"name": name, "type": kind, **more}


A = field("a", "int")
ENUM = {"type": "enum", "name": "E", "symbols": ["X", "Y"], "default": "X"}
PAIRS: dict[str, tuple[Schema, Schema, bool]] = {
    "the same": (record(A), record(A), True),
    "a field more, with a default": (record(A), record(A, field("b", "int", default=0)), True),
    "a field more, without": (record(A), record(A, field("b", "int")), False),
    "a field less": (record(A, field("b", "int")), record(A), True),
    "another order": (record(A, field("b", "int")), record(field("b", "int"), A), True),
    "another type": (record(A), record(field("a", "long")), False),
    "an optional one": (record(A), record(field("a", ["int", "null"])), False),
    "another scale": (
        record(field("a", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2})),
        record(field("a", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 3})),
        False,
    ),
    "a symbol more": (record(field("a", ENUM)), record(field("a", ENUM | {"symbols": ["X", "Y", "Z"]})), False),
    "another size": (
        record(field("a", {"type": "fixed", "name": "F", "size": 2})),
        record(field("a", {"type": "fixed", "name": "F", "size": 3})),
        False,
    ),
    "another name": (
        record(field("a", LINE)),
        record(field("a", LINE | {"name": "Row"})),
        False,
    ),
    "an upcast more": (record(A), record(A, upcasts=1), False),
    "an alias": (record(A), record(A, field("b", "int", default=0, aliases=["a"])), False),
    "a type defined elsewhere, and otherwise": (
        record(field("gone", LINE), field("kept", "Line")),
        record(field("come", OTHER_LINE, default={"sku": ""}), field("kept", "Line")),
        False,
    ),
    "a field more, without default, in a record inside": (
        record(field("a", {"type": "array", "items": LINE})),
        record(field("a", {"type": "array", "items": LINE | {"fields": [*LINE["fields"], A]}})),
        False,
    ),
    "the same inside a default of what is new": (
        record(A),
        record(A, field("b", ["null", LINE], default=None)),
        True,
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_alike(name: str) -> None:
    """Nothing that a reader would have to convert, to choose, or to do without."""
    written, read, expected = PAIRS[name]
    assert alike(written.text, read.text) is expected


@settings(max_examples=300)
@given(st.integers(0, 2**32))
def test_what_is_alike_is_read_as_it_was_written(seed: int) -> None:
    """By fastavro, with equal values; the avro package and the codec allow it, too."""
    for old, new in drawn(seed):
        if not alike(old, new):
            continue
        written, read = Schema.parse(old), Schema.parse(new)
        assert unread(old) or unread(new) or refusal(new, old) is None
        if _is_plain(written) and _is_plain(read):
            resolve(written.shape.root, written.shape, read.shape.root, read.shape)  # Malformed where the codec refuses
        for value in samples(written.shape):
            data = raw.write(old, value)
            found = raw.read(data, old, new)
            assert disagreement(raw.read(data, old), found, written.shape, read.shape) is None


def test_the_pairs_are_worth_something() -> None:
    """Many of them are alike without being the same, and many are not."""
    found = [(alike(old, new), old == new) for seed in range(60) for old, new in drawn(seed)]
    assert sum(yes and not same for yes, same in found) >= 20
    assert sum(not yes for yes, _ in found) >= 20


def drawn(seed: int) -> list[tuple[str, str]]:
    """Pairs of texts, earlier and later and the other way round, of a schema that was changed three times."""
    maker = Maker(seed)
    schemas = [maker.record()]
    for _ in range(3):
        schemas.append(maker.changed(schemas[-1]))
    texts = [text for each in schemas if (text := parsed(text_of(each)))]
    return [(one, other) for at, one in enumerate(texts) for to, other in enumerate(texts) if at != to]


def parsed(text: str) -> str:
    """The text, or none where it is no schema."""
    try:
        Schema.parse(text)
    except SchemaInvalid:
        return ""
    return text
