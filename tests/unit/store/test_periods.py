"""The calendar of the journal's partitions: end to end, without gaps, and ids in the range of their instant."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.identity import mint
from magnetar.runtime.instant import SECOND, from_datetime
from magnetar.runtime.store.postgres.periods import Period, end_of, instant_of, lowest_id, ranges, start_of

DAY = 86_400 * SECOND
MILLISECOND = 1000
FIRST, LAST = (from_datetime(datetime(year, 1, 1, tzinfo=UTC)) for year in (2000, 2090))
instants = st.integers(FIRST, LAST)
periods = st.sampled_from(Period)


@given(periods, instants)
def test_an_instant_lies_in_its_period(period: Period, at: int) -> None:
    """A period begins and ends at a midnight, is as long as it should be, and the next begins where it ends."""
    start, end = start_of(period, at), end_of(period, at)
    assert start <= at < end
    assert start % DAY == end % DAY == 0
    assert (end - start) // DAY in ({7} if period is Period.WEEK else {28, 29, 30, 31})
    assert (start_of(period, end), start_of(period, end - 1)) == (end, start)


@given(periods, instants, st.integers(0, 400), st.none() | st.integers(-100, 300))
def test_ranges_lie_end_to_end(period: Period, now: int, days: int, after_days: int | None) -> None:
    """From where the last one ends, or from now, until the instant wanted; their names differ."""
    after = None if after_days is None else start_of(Period.WEEK, now + after_days * DAY)
    found = ranges(period, after, now, now + days * DAY)
    assert all(one.upper == other.lower for one, other in pairwise(found))
    assert len({each.table for each in found}) == len(found)
    begins = start_of(period, now) if after is None else max(after, start_of(period, now))
    if found:
        assert instant_of(found[0].lower) == begins
        assert instant_of(found[-1].upper) >= now + days * DAY
    else:
        assert begins >= now + days * DAY


@given(instants, st.binary(min_size=10, max_size=10))
def test_an_id_lies_in_the_range_of_its_instant(now: int, noise: bytes) -> None:
    """Ids of a millisecond lie from its lowest id on and below that of the next."""
    identity = mint(now, lambda count: noise[:count])
    assert lowest_id(now).bytes <= identity < lowest_id(now + MILLISECOND).bytes
    assert instant_of(lowest_id(now)) == now - now % MILLISECOND


def test_a_change_of_period_leaves_no_gap() -> None:
    """Months after weeks begin where the last week ends, in the middle of a month."""
    monday = from_datetime(datetime(2026, 3, 16, tzinfo=UTC))
    [first, second] = ranges(Period.MONTH, monday, monday - DAY, monday + 20 * DAY)
    assert (first.table, second.table) == ("journal_20260316", "journal_20260401")
