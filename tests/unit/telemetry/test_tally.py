"""Counting many at once is counting one after another, and a sum never falls."""

from __future__ import annotations

from bisect import bisect_left
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.instant import SECOND
from magnetar.runtime.telemetry.tally import Distribution, Numbers, add, zeros

BOUNDS = (0.5, 1.0, 2.0, 30.0)
NOW = 1_800_000_000 * SECOND
moments = st.lists(st.integers(NOW - 60 * SECOND, NOW + 5 * SECOND) | st.sampled_from([NOW - SECOND, NOW, NOW - 1]))


@given(moments)
def test_ages_taken_at_once_are_ages_taken_one_by_one(published: list[int]) -> None:
    """Each age is in the bucket of the first bound that is not below it; what is in the future has the age 0."""
    together = Distribution(BOUNDS)
    together.note_ages(list(published), NOW, SECOND)
    counts = [0] * (len(BOUNDS) + 1)
    for moment in published:
        counts[bisect_left(BOUNDS, max(0, NOW - moment) / SECOND)] += 1
    assert together.read().counts == tuple(counts)
    assert abs(together.read().total - sum(max(0, NOW - moment) for moment in published) / SECOND) < 1e-6


@given(st.lists(moments, max_size=5))
def test_a_histogram_only_grows(groups: list[list[int]]) -> None:
    """Also when clocks differ: a counter that falls would be taken for a restart."""
    ages, before = Distribution(BOUNDS), Distribution(BOUNDS).read()
    for group in groups:
        ages.note_ages(group, NOW, SECOND)
        now = ages.read()
        assert all(new >= old for new, old in zip(now.counts, before.counts, strict=True))
        assert now.total >= before.total
        before = now


@given(st.lists(st.floats(0, 100)))
def test_single_values_are_in_their_buckets(values: list[float]) -> None:
    """And what is above the last bound in one of its own."""
    sizes = Distribution(BOUNDS)
    for value in values:
        sizes.note(value)
    expected = [sum(1 for value in values if bisect_left(BOUNDS, value) == place) for place in range(len(BOUNDS) + 1)]
    assert list(sizes.read().counts) == expected


def test_every_combination_of_labels_begins_at_zero() -> None:
    """In the order of the labels."""
    assert zeros() == {(): 0}
    assert set(zeros(("a", "b"), ("x", "y", "z"))) == set(product("ab", "xyz"))
    assert set(zeros(("a", "b"), "x").values()) == {0}


def test_what_was_never_counted_begins_at_zero() -> None:
    """A label that nobody has foreseen is no error."""
    numbers: Numbers = {}
    add(numbers, ("a",), 2)
    add(numbers, ("a",), 3)
    assert numbers == {("a",): 5}
