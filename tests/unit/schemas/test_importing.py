"""From foreign schemas to Python: the made types derive the very same schema, or there is no module at all."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import types
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.schemas import (
    Command,
    Event,
    Message,
    Schema,
    SchemaUnsupported,
    State,
    python_source,
    schema_of,
    topic_schema,
)
from tests.unit.schemas.shop import CONTRACTS, MESSAGES, Order, Place
from tests.unit.schemas.strategies import contract_types

if TYPE_CHECKING:
    from magnetar.schemas.importing import Base


@contextmanager
def classes(source: str) -> Generator[dict[str, type[msgspec.Struct]]]:
    """Give the struct types of a source by name, while the module that it makes is there."""
    made = types.ModuleType("made")
    sys.modules["made"] = made
    try:
        exec(compile(source, "made.py", "exec"), made.__dict__)
        yield {
            key: each for key, each in vars(made).items() if isinstance(each, type) and issubclass(each, msgspec.Struct)
        }
    finally:
        del sys.modules["made"]


@pytest.mark.parametrize("cls", CONTRACTS)
def test_every_kind_of_contract_comes_back_with_the_same_fingerprint(cls: type[msgspec.Struct]) -> None:
    """Names, namespaces, logical types, defaults: nothing that has a meaning is lost."""
    with classes(python_source(schema_of(cls).text, "Record")) as made:
        assert schema_of(made[cls.__name__]) == schema_of(cls)


@given(data=st.data())
def test_every_contract_type_comes_back_with_the_same_fingerprint(data: st.DataObject) -> None:
    """The same for drawn types and defaults."""
    cls = data.draw(contract_types(data.draw(st.sampled_from([Command, State]))))
    with classes(python_source(schema_of(cls).text, "Event")) as made:
        assert schema_of(made["Drawn"]) == schema_of(cls)


def test_a_topics_schema_gives_each_of_its_messages() -> None:
    """The record around them is not a type; the union's order is kept by deriving the topic from them."""
    text = topic_schema("orders", "shop", MESSAGES).text
    with classes(python_source(text, "Command")) as made:
        listed = [cast("type[Message]", made[cls.__name__]) for cls in MESSAGES]
        assert all(issubclass(cls, Command) for cls in listed)
        assert topic_schema("orders", "shop", listed) == topic_schema("orders", "shop", MESSAGES)


def test_docs_and_names_are_kept() -> None:
    """Of types and of fields, with quotes and backslashes as they are."""
    text = json.dumps(
        {
            "type": "record",
            "name": "com.mall.Sale",
            "doc": 'A "sale"',
            "fields": [{"name": "sku", "type": "string", "doc": "a \\ 'sku' \"here\""}],
        },
    )
    with classes(python_source(text, "Event")) as made:
        assert issubclass(made["Sale"], Event)
        derived = json.loads(schema_of(made["Sale"]).text)
    assert (derived["namespace"], derived["doc"]) == ("com.mall", 'A "sale"')
    assert derived["fields"][0]["doc"] == "a \\ 'sku' \"here\""


@pytest.mark.parametrize("base", ["Command", "Event", "Record", "State", "Timer"])
def test_the_outermost_record_gets_the_base_asked_for(base: Base) -> None:
    """Nested ones are records."""
    source = python_source(schema_of(Order).text, base)
    assert f"class Order({base}):" in source
    assert "class Line(Record):" in source


def test_the_source_is_checked_python(tmp_path: Path) -> None:
    """In strict mode mypy accepts it, and nothing is imported that is not used."""
    source = (
        python_source(schema_of(Order).text, "State")
        + python_source(schema_of(Place).text, "Command").partition("class")[0]
    )
    tree = ast.parse(python_source(schema_of(Order).text, "State"))
    names = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom | ast.Import) for alias in node.names}
    assert all(source.count(name) > 1 for name in names - {"annotations"})
    path = tmp_path / "made.py"
    path.write_text(python_source(schema_of(Order).text, "State"), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout


def field(kind: Any, **more: Any) -> str:
    """Return the text of a record with one field."""
    return json.dumps({"type": "record", "name": "shop.R", "fields": [{"name": "f", "type": kind, **more}]})


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        (field({"type": "fixed", "name": "F", "size": 2}), "$.f", "has no contract type"),
        (field(["string", "long"]), "$.f", "a union other than of null and one type"),
        (field(["string"]), "$.f", "a union other than of null and one type"),
        (field(["null", "string", "long"]), "$.f", "a union other than of null and one type"),
        (field("null"), "$.f", "null has no contract type"),
        (field({"type": "int", "logicalType": "time-millis"}), "$.f", "int/time-millis has no contract type"),
        (field({"type": "long", "logicalType": "local-timestamp-micros"}), "$.f", "has no contract type"),
        (field({"type": "string", "logicalType": "made-up"}), "$.f", "has no contract type"),
        (
            field({"type": "array", "items": {"type": "map", "values": ["int", "long"]}}),
            "$.f[]{}",
            "a union other than",
        ),
        (field({"type": "enum", "name": "E", "symbols": ["a", "b"], "default": "b"}), "$.f", "falls back to b"),
        (field("long", aliases=["g"]), "$.f", "has aliases"),
        (json.dumps({"type": "record", "name": "R", "aliases": ["S"], "fields": []}), "R", "has aliases"),
        (
            field({"type": "long", "logicalType": "timestamp-micros"}, default=2**62),
            "$.f",
            "between the years 1 and 9999",
        ),
        (field("long").replace('"f"', '"class"'), "$.class", "a name that a Python field cannot have"),
        (field("long").replace('"f"', '"str"'), "$.str", "a name that a Python field cannot have"),
        (field("long").replace('"f"', '"__f"'), "$.__f", "a name that a Python field cannot have"),
        (field({"type": "record", "name": "mall.R", "fields": []}), "$.f", "there is another R"),
        (field({"type": "record", "name": "Digits", "fields": []}), "$.f", "there is another Digits"),
        ('"long"', "$", "neither a record nor a union of records"),
        ('{"type": "fixed", "name": "F", "size": 2}', "$", "neither a record nor a union of records"),
    ],
)
def test_what_no_type_can_express_is_refused_with_its_path(text: str, path: str, reason: str) -> None:
    """SchemaUnsupported says where and what; no half module is made."""
    Schema.parse(text)
    with pytest.raises(SchemaUnsupported) as caught:
        python_source(text)
    assert caught.value.path == path
    assert reason in caught.value.reason


def test_an_enum_symbol_that_is_a_word_of_python_gets_another_member_name() -> None:
    """The symbol itself stays what it is."""
    text = field(
        {"type": "enum", "name": "shop.E", "symbols": ["None", "mro", "_x", "fine"], "default": "None"}, default="mro"
    )
    with classes(python_source(text)) as made:
        derived = schema_of(made["R"])
    assert json.loads(derived.text)["fields"][0]["type"]["symbols"] == ["None", "mro", "_x", "fine"]
    assert derived == Schema.parse(text)
