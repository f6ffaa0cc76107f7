"""When a gap beyond its bound is a miss, and when it shows nothing: whoever should have worked had no processor."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.chaos.takeover.delays import Sample, read, starved, waited
from magnetar.chaos.takeover.gaps import Gap
from magnetar.chaos.takeover.rows import PROMISES, Colour, Event, Gaps, Machine, Wrongs, judged
from magnetar.chaos.takeover.starving import Hunger
from magnetar.chaos.takeover.tenures import EVER, Tenure, Turn, tenures, turns
from magnetar.runtime.instant import SECOND

if TYPE_CHECKING:
    from magnetar.chaos.takeover.rows import Row
    from magnetar.runtime.instant import Instant

WELL = Hunger(0.01, 0.02, 0.0, 0.1)
ROLLING = next(promise for promise in PROMISES if promise.name == "rolling")
stretches = st.tuples(st.integers(0, 400), st.integers(0, 400)).map(sorted)


def judge(gaps: dict[str, float], starvation: dict[str, float], duplicates: int = 0) -> Row:
    """A rolling restart in which shards stood still, and were kept from running, for so many seconds."""
    found = {shard: [Gap(shard, SECOND, SECOND + round(took * SECOND))] for shard, took in gaps.items()}

    def owed(gap: Gap, since: Instant | None) -> Instant:
        assert since is None
        return round(starvation.get(gap.shard, 0.0) * SECOND)

    event = Event("rolling", 0, 60 * SECOND, duplicates=duplicates)
    return judged(ROLLING, event, Gaps(found, found), Wrongs(), Machine(WELL, owed, 0.3))


@given(st.integers(1, 5 * SECOND), st.integers(0, 5 * SECOND))
def test_starvation_excuses_just_the_excess_and_never_makes_a_row_kept(took: int, kept_from_running: int) -> None:
    """Within the bound it does not matter; beyond it, it must account for all that is beyond."""
    found = judge({"orders/0": took / SECOND}, {"orders/0": kept_from_running / SECOND})
    bound = round(ROLLING.within * SECOND)
    if took <= bound:
        assert found.colour is Colour.KEPT
    else:
        accounted = took / SECOND - kept_from_running / SECOND <= ROLLING.within
        assert found.colour is (Colour.UNKNOWN if accounted else Colour.BROKEN)


def test_the_figures_are_told_either_way() -> None:
    """Of the longest gap, and for how much of it there was no processor."""
    unknown, broken = judge({"orders/0": 1.4}, {"orders/0": 0.5}), judge({"orders/0": 1.4}, {"orders/0": 0.25})
    assert (unknown.colour, unknown.counted, unknown.starved) == (Colour.UNKNOWN, 1.4, 0.5)
    assert "orders/0 took 1.40 s, but for 0.50 s of it" in unknown.reasons[0]
    assert broken.reasons == ("orders/0 took 1.40 s, 0.25 s of it for want of a processor",)


def test_a_shorter_gap_that_nothing_accounts_for_is_a_miss() -> None:
    """The longest one does not speak for the others."""
    found = judge({"orders/0": 3.0, "stock/1": 1.2}, {"orders/0": 2.5})
    assert found.colour is Colour.BROKEN
    assert found.reasons == ("stock/1 took 1.20 s, 0.00 s of it for want of a processor",)


def test_starvation_excuses_nothing_but_slowness() -> None:
    """What was delivered twice is broken on a machine without time, too."""
    assert judge({"orders/0": 1.4}, {"orders/0": 0.9}, duplicates=1).colour is Colour.BROKEN


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 60)), max_size=8), st.integers(1, 50), stretches)
def test_no_more_is_counted_than_was_waited_in_the_stretch(
    waits: list[tuple[int, int]], step: int, stretch: list[int]
) -> None:
    """Wherever the samples fall: a wait is in the kernel's account only when it is over."""
    ends = list(accumulate((pause + length for pause, length in waits), initial=0))[1:]
    spans = [(end - length, end) for end, (_, length) in zip(ends, waits, strict=True)]
    samples = [Sample(at, sum(last - first for first, last in spans if last <= at)) for at in range(0, 1000, step)]
    begin, end = stretch
    within = sum(max(0, min(last, end) - max(first, begin)) for first, last in spans)
    assert 0 <= waited(samples, begin, end) <= within


def test_a_wait_in_the_midst_of_a_stretch_is_counted_whole() -> None:
    """But for what the samples at its edges leave open."""
    samples = [Sample(0, 0), Sample(50, 0), Sample(100, 0), Sample(150, 40), Sample(200, 60), Sample(250, 60)]
    assert waited(samples, 0, 250) == 60
    assert waited(samples, 0, 190) == 40 + 10
    assert waited(samples, 110, 250) == 20
    assert waited([Sample(0, 0), Sample(50, 0), Sample(60, 60)], 30, 250) == 20  # it may have been over at 51
    assert waited([], 0, 250) == 0


def test_at_each_moment_one_process_answers_for_a_shard() -> None:
    """Who has it, and when nobody does, who wins it next. The dead say nothing; the late are not listened to."""
    log = [
        Turn(10, "orders/0", 1, won=True),
        Turn(50, "orders/0", 1, won=False),
        Turn(60, "orders/0", 2, won=True),  # and is killed
        Turn(90, "orders/0", 3, won=True),
        Turn(95, "orders/0", 2, won=False),
        Turn(20, "stock/1", 1, won=True),
    ]
    assert tenures(log) == {
        "orders/0": [Tenure(1, 0, 50), Tenure(2, 50, 90), Tenure(3, 90, EVER)],
        "stock/1": [Tenure(1, 0, EVER)],
    }


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(1, 4), st.booleans()), max_size=12))
def test_tenures_never_overlap(told: list[tuple[int, int, bool]]) -> None:
    """Else a wait would count twice."""
    found = tenures(Turn(at, "orders/0", process, won) for at, process, won in told).get("orders/0", [])
    assert all(before.end <= after.begin for before, after in pairwise(found))


def test_only_the_one_that_the_shard_depended_on_counts() -> None:
    """Each for its own part of the gap."""
    delays = {
        1: [Sample(at, at // 2) for at in range(0, 300, 10)],
        2: [Sample(at, at // 5) for at in range(0, 300, 10)],
    }
    some = [Tenure(1, 0, 100), Tenure(2, 100, EVER)]
    alone = [waited(delays[1], 50, 100), waited(delays[2], 100, 200)]
    assert starved(delays, some, 50, 200) == sum(alone) > 0
    assert starved(delays, some, 100, 200) == alone[1]
    assert starved({}, some, 50, 200) == 0


def test_a_workers_log_says_what_it_has() -> None:
    """Among lines of others, and one that is cut short."""
    log = """not JSON
{"event": "owns orders/5 since epoch 2, 8 shards in all", "timestamp": "2026-11-28T10:24:27.121032Z"}
{"event": "drained", "timestamp": "2026-11-28T10:24:28.000000Z"}
{"event": "owns orders/5 no more: released", "timestamp": "2026-11-28T10:24:29.121032Z"}
{"event": "owns orders/5 since ep"""
    first, last = turns(log.splitlines(), 7)
    assert (first.shard, first.process, first.won, last.won) == ("orders/5", 7, True, False)
    assert last.at - first.at == 2 * SECOND


def test_the_watchs_record_is_read_by_process() -> None:
    """A line that is cut short counts no more than one that is not there."""
    assert read("10 1:5 2:7\n20 1:6\n30\n40 1:1") == {1: [Sample(10, 5), Sample(20, 6)], 2: [Sample(10, 7)]}


@pytest.mark.parametrize("text", ["", "10", "10\n20\n"])
def test_a_record_of_nothing_accounts_for_nothing(text: str) -> None:
    """Where the kernel keeps no account there is no excuse."""
    assert read(text) == {}
