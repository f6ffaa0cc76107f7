"""Durations and ids as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from magnetar.runtime.cli.wording import clock, counted, from_now, short, simple, span

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0004, "0 ms"),
        (0.012, "12 ms"),
        (3.4, "3.4 s"),
        (119, "119.0 s"),
        (1740, "29 min"),
        (18_000, "5 h"),
        (259_200, "3 d"),
    ],
)
def test_a_span_is_told_in_the_unit_that_fits(seconds: float, said: str) -> None:
    """The sign does not matter."""
    assert span(timedelta(seconds=seconds)) == span(timedelta(seconds=-seconds)) == said


def test_moments_are_told_from_now() -> None:
    """Ahead or back."""
    assert from_now(NOW + timedelta(minutes=29), NOW) == "in 29 min"
    assert from_now(NOW - timedelta(seconds=3), NOW) == "3.0 s ago"


def test_the_clock_is_utc() -> None:
    """Whatever zone a moment is told in."""
    assert clock(NOW.astimezone(timezone(timedelta(hours=9)))) == "2026-01-31 12:00:00.000"


def test_names_and_numbers() -> None:
    """An id by its end, a contract by its last part, a number with its thing."""
    assert short("0190aaaa-0000-7000-8000-00000000abcd") == "…0000abcd"
    assert simple("shop.orders.Place") == "Place"
    assert (counted(1, "message"), counted(1_000, "message")) == ("1 message", "1,000 messages")
