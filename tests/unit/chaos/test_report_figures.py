"""Numbers as people read them, and the axes they stand on."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.chaos.report import figures
from magnetar.chaos.report.clock import WIDE, Clock
from magnetar.chaos.report.lanes import natural
from magnetar.chaos.report.markup import clean, listed, said, tag
from magnetar.chaos.report.plot import durations, linear
from magnetar.chaos.report.slices import sliced

WORDS = [
    (0.0, "0 ms"),
    (0.0042, "4.2 ms"),
    (0.0841, "84 ms"),
    (0.9996, "1.00 s"),
    (4.2149, "4.21 s"),
    (12.34, "12.3 s"),
    (125.2, "2 min 5 s"),
    (7322.0, "2 h 2 min"),
    (-3.0, "\N{MINUS SIGN}3.00 s"),
    (None, "\N{EN DASH}"),
    (nan, "\N{EN DASH}"),
    (inf, "\N{EN DASH}"),
]


@pytest.mark.parametrize(("value", "text"), WORDS)
def test_a_duration_is_read_at_a_glance(value: float | None, text: str) -> None:
    """Three digits at most, always with a unit."""
    assert figures.seconds(value) == text


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_only_what_is_longer_reads_longer(one: float, other: float) -> None:
    """Rounding never turns two durations around."""
    short, long = sorted((one, other))
    assert _value(figures.seconds(short)) <= _value(figures.seconds(long))


def _value(text: str) -> float:
    units = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
    parts = text.replace(",", "").split()
    return sum(float(number) * units[unit] for number, unit in zip(parts[::2], parts[1::2], strict=True))


@given(st.floats(0, 1))
def test_only_all_is_all(part: float) -> None:
    """One that failed of a million is not rounded away."""
    assert (figures.share(part) == "100 %") == (part == 1)
    assert (figures.share(part) == "0 %") == (part == 0)


def test_what_was_chosen_is_written_as_it_was() -> None:
    """A bound of 15 s is not one of 15.0 s."""
    assert [figures.chosen(value) for value in (15.0, 0.25, 1.5, 300.0)] == ["15 s", "250 ms", "1.5 s", "300 s"]
    assert figures.quantity(12345.6) == "12,346"
    assert figures.rate(89.96) == "90/s"
    assert figures.when(-1) == figures.NONE


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(-2e6, 2e6))
def test_all_of_a_run_is_on_its_axis(begin: float, took: float, at: float) -> None:
    """Later is never more to the left, and the ticks are few, in order and inside."""
    clock = Clock(begin, begin + took)
    assert 0 <= clock.x(at) <= clock.x(at + 1) <= WIDE
    ticks = clock.ticks()
    assert ticks == sorted(ticks)
    assert len(ticks) <= 15
    assert all(clock.begin - 1e-6 <= tick <= clock.end for tick in ticks)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_a_scale_holds_its_values(one: float, other: float) -> None:
    """Both ends are named, and more is never lower."""
    low, high = sorted((one, other))
    scale = linear(high, low=low)
    slack = 1e-6 * (high - min(low, 0.0)) + 1e-9
    assert scale.low <= min(low, 0.0) + slack
    assert scale.high >= high - slack
    assert 0 <= scale.y(high) <= scale.y(low) <= scale.tall
    assert 2 <= len(scale.marks) <= 12


@given(st.lists(st.floats(0, 1e5), max_size=5))
def test_a_scale_of_durations_goes_by_powers_of_ten(values: list[float]) -> None:
    """From a millisecond or less to a second or more."""
    scale = durations(values)
    assert scale.low <= 0.001
    assert scale.high >= max([1.0, *values])
    assert len(scale.marks) <= 12


@given(st.lists(st.floats(0, 100), max_size=50), st.floats(1, 4000))
def test_every_value_is_in_one_slice(times: list[float], took: float) -> None:
    """However long the run is, and rates count each of them once, but for a short last slice."""
    clock = Clock(0.0, took)
    inside = [at for at in times if at <= clock.end]
    slices = sliced(((at, at) for at in inside), clock)
    assert sum(map(len, slices.found.values())) == len(inside)
    assert slices.number <= 600
    for number, values in slices.found.items():
        assert all(number * slices.width - 1e-6 <= at <= (number + 1) * slices.width + 1e-6 for at in values)


@given(st.text(max_size=700))
def test_text_from_outside_can_stand_anywhere(text: str) -> None:
    """It can be encoded, is no longer than told, and has nothing that ends an attribute or begins an element."""
    shown = said(text, 50)
    shown.encode()
    assert not set(shown) & set("<>\"'")
    assert len(clean(text, 50)) <= 50


def test_markup_is_made_of_text_and_elements() -> None:
    """Attributes are escaped, and a list says how many it leaves out."""
    assert tag("p", "<b>", class_="a", title='"', lang=None) == '<p class="a" title="&quot;"><b></p>'
    assert listed(["a", "b", "c"], 2) == '<ul><li>a</li><li>b</li><li class="more">and 1 more</li></ul>'
    assert listed([], 2) == ""


def test_ten_comes_after_nine() -> None:
    """In the names of lanes and owners."""
    assert sorted(["orders/10", "orders/9", "stock/1"], key=natural) == ["orders/9", "orders/10", "stock/1"]
