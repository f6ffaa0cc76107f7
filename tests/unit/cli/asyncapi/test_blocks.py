"""What is written as YAML is read back as the same value, by a reader that somebody else has made."""

from __future__ import annotations

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.cli.asyncapi import rendered

WORDS = [
    "",
    "yes",
    "No",
    "null",
    "~",
    "1e3",
    "2026-01-01",
    "- a",
    "a: b",
    "a #b",
    "a:",
    " a",
    "a ",
    "é",
    "\u2028",
    "\x00",
    "🍌",
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(WORDS)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


@given(VALUES)
def test_any_value_comes_back(value: Any) -> None:
    """With its type: a text stays a text, a number a number."""
    back = yaml.safe_load(rendered(value, "a comment"))
    assert (back, repr(back)) == (value, repr(value))


WRITTEN: list[tuple[Any, list[str]]] = [
    (
        {"a": {"b": [1, {"c": "d", "e": []}]}, "f": {}},
        ["a:", "  b:", "    - 1", "    - c: d", "      e: []", "f: {}"],
    ),
    ({"on": "no", "$ref": "#/a b"}, ['"on": "no"', '$ref: "#/a b"']),
    ([["a"], "1.0", 1e30], ["- - a", '- "1.0"', "- 1.0e+30"]),
]


@pytest.mark.parametrize(("value", "lines"), WRITTEN)
def test_it_is_written_for_people(value: Any, lines: list[str]) -> None:
    """A line for each thing, and quotes only where they are needed."""
    assert rendered(value, "why").splitlines() == ["# why", *lines]
