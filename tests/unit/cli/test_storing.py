"""`magnetar store`: what it understands before it asks any database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from magnetar.runtime.cli.exits import BadInput
from magnetar.runtime.cli.program import run
from magnetar.runtime.cli.storing import _horizon
from magnetar.runtime.instant import from_datetime

NOW = from_datetime(datetime(2026, 5, 31, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "horizon"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("90d", datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ("7d", datetime(2026, 5, 24, 12, tzinfo=UTC)),
    ],
)
def test_a_day_or_an_age(text: str, horizon: datetime) -> None:
    """Days are UTC; ages count from the store's clock."""
    assert _horizon(text, NOW) == from_datetime(horizon)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "90", "-90d", "90 d", "2026-02-30", "6d", "2026-05-30", "2027-01-01"]
)
def test_what_is_no_such_thing_or_too_near_is_told(text: str) -> None:
    """Nothing is dropped by a slip of the finger."""
    with pytest.raises(BadInput, match="--before"):
        _horizon(text, NOW)


def test_a_store_that_needs_none_of_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """SQLite migrates by itself."""
    assert run(["store", "trim", "--before", "90d", "--store", "sqlite:///shop.db"]) == 2
    assert "needs no upkeep" in capsys.readouterr().err


def test_a_wrong_url_shows_no_password(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither one that libpq does not understand nor one that nobody does."""
    for url in ("postgresql://me:hu/sh@db/shop", "postgresql://me:x@hush@db/shop", "mysql://me:hush@db/shop"):
        assert run(["store", "migrate", "--store", url]) == 2
        said = capsys.readouterr().err
        assert "hu" not in said
        assert said.startswith("error: ")
