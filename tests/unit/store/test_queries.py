"""Named queries are found by name, and a name stands once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import magnetar.runtime.store.sqlite
from magnetar.runtime.store.sql.queries import parse, queries

FILE = """-- What comes before the first name is a comment.
-- name: one
SELECT 1;

-- name: two
SELECT
    2;
"""


def test_a_query_is_found_by_its_name() -> None:
    """Without its heading, its semicolon and the lines around it."""
    assert dict(parse(FILE)) == {"one": "SELECT 1", "two": "SELECT\n    2"}


def test_a_name_stands_once() -> None:
    """The second one would silently hide the first."""
    with pytest.raises(ValueError, match="two"):
        parse(FILE + "-- name: two\nSELECT 3;")


def test_every_query_is_used_and_every_one_used_is_there() -> None:
    """The file and the code of the SQLite store name the same queries."""
    folder = Path(magnetar.runtime.store.sqlite.__file__).parent
    code = "\n".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
    strings = set(re.findall(r'"(\w+)"', code))
    assert set(queries("sqlite")) - strings == set()
    assert set(re.findall(r'SQL\["(\w+)"\]', code)) - set(queries("sqlite")) == set()
