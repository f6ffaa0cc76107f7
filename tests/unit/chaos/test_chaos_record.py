"""A record of a run: what is written is what is read, and what is damaged is told as such."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magnetar.chaos.history import History
from magnetar.chaos.record.keeping import RECORD, Kept, RecordDamaged, read, read_record, write
from magnetar.chaos.record.shape import Point, Record, Sample, Tenure

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
TIMES = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
DATA = st.recursive(st.none() | st.booleans() | st.integers(-100, 100) | TEXTS, lambda some: st.lists(some, max_size=3))


def structs(kind: type[T]) -> st.SearchStrategy[T]:
    """Any value of a struct, its fields by their types."""
    found = msgspec.inspect.type_info(kind)
    assert isinstance(found, msgspec.inspect.StructType)
    return st.builds(kind, **{field.name: drawn(field.type) for field in found.fields})


def drawn(found: msgspec.inspect.Type) -> st.SearchStrategy[Any]:
    """Any value of a field's type."""
    inspect = msgspec.inspect
    match found:
        case inspect.StructType():
            return structs(found.cls)
        case inspect.VarTupleType():
            return st.lists(drawn(found.item_type), max_size=2).map(tuple)
        case inspect.DictType():
            return st.dictionaries(TEXTS, drawn(found.value_type), max_size=2)
        case inspect.UnionType():
            return st.one_of(*map(drawn, found.types))
        case inspect.LiteralType() | inspect.EnumType():
            return st.sampled_from(list(found.cls) if isinstance(found, inspect.EnumType) else found.values)
        case _:
            return _PLAIN[type(found)]


_PLAIN: Mapping[type[msgspec.inspect.Type], st.SearchStrategy[Any]] = {
    msgspec.inspect.AnyType: DATA,
    msgspec.inspect.BoolType: st.booleans(),
    msgspec.inspect.FloatType: TIMES,
    msgspec.inspect.IntType: st.integers(-(2**53), 2**53),
    msgspec.inspect.NoneType: st.none(),
    msgspec.inspect.StrType: TEXTS,
}


def history(told: list[str]) -> History:
    """One that says this."""
    found = History(lambda: 7)
    for what in told:
        found.tell(what)
    return found


KEPT = st.builds(
    Kept,
    structs(Record),
    st.lists(structs(Point), max_size=3),
    st.lists(structs(Sample), max_size=3),
    st.lists(structs(Tenure), max_size=3),
    st.lists(TEXTS, max_size=3).map(history),
)


@settings(max_examples=60, deadline=None)
@given(KEPT, KEPT)
def test_what_is_written_is_what_is_read(kept: Kept, before: Kept) -> None:
    """Also over another record, of which nothing is left."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        write(folder, before)
        write(folder, kept)
        found = read(folder)
        assert (found.record, found.points, found.samples, found.owners) == (
            *(kept.record, kept.points),
            *(kept.samples, kept.owners),
        )
        assert found.history.events == kept.history.events
        assert read_record(folder) == kept.record
        assert not list(folder.glob(".*"))


@settings(max_examples=10, deadline=None)
@given(KEPT, st.sampled_from([RECORD, "points.jsonl", "samples.jsonl", "owners.jsonl", "history.jsonl"]))
def test_what_is_missing_or_damaged_is_named(kept: Kept, name: str) -> None:
    """The file, and what is wrong with it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(folder, kept)
        (folder / name).write_bytes(b'{"at": "yesterday"}\n')
        with pytest.raises(RecordDamaged, match=re.escape(name)):
            read(folder)
        (folder / name).unlink()
        with pytest.raises(RecordDamaged, match="No such file"):
            read(folder)
