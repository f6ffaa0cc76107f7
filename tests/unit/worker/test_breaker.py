"""Rate budget and breaker, on any history: what they promise, and that time alone brings them back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime import Breaking
from magnetar.runtime.instant import SECOND, micros
from magnetar.runtime.worker.breaker import Breaker, BreakerState, LeftAlone, read, written
from magnetar.runtime.worker.budget import Budget

BREAKING = Breaking(share=0.5, window=6, least=4, opens=5.0, probes=2)
steps = st.lists(st.integers(0, 3 * SECOND), min_size=1, max_size=60)


@given(waits=steps, rate=st.floats(0.1, 1000), burst=st.integers(1, 20))
def test_no_span_of_time_has_more_calls_than_burst_and_rate_allow(waits: list[int], rate: float, burst: int) -> None:
    """Whoever takes a token whenever there is one, in any span of time."""
    budget, now, taken = Budget.of(rate, burst), 0, list[int]()
    for wait in waits:
        now += wait
        while budget.ready_at() <= now and len(taken) < 200:
            budget = budget.taken(now)
            taken.append(now)
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            allowed = burst + (taken[last] - start) / budget.interval
            assert last - first + 1 <= allowed + 1e-9


@given(waits=steps, rate=st.floats(0.1, 1000), burst=st.integers(1, 20))
def test_after_a_pause_a_whole_burst_is_there(waits: list[int], rate: float, burst: int) -> None:
    """And a token is there when it was said to be."""
    budget, now = Budget.of(rate, burst), 0
    for wait in waits:
        now = max(now + wait, budget.ready_at())
        budget = budget.taken(now)
    now = max(now, budget.full)
    for _ in range(burst):
        assert budget.ready_at() <= now
        budget = budget.taken(now)
    assert budget.ready_at() > now


def after(breaker: Breaker, now: int, calls: str) -> Breaker:
    """Calls that begin and end one after another: `x` failed, `.` did not."""
    for each in calls:
        assert breaker.admits(now)
        breaker = breaker.begun()
        breaker = breaker.ended(breaker.round, now, failed=each == "x")
    return breaker


def test_it_opens_when_enough_of_the_last_calls_have_failed() -> None:
    """Not before the least number of them; and what failed long ago counts no more."""
    breaker = after(Breaker(BREAKING), 0, "xxx")
    assert breaker.state(0) is BreakerState.CLOSED
    assert after(breaker, 0, "x").state(0) is BreakerState.OPEN
    assert after(breaker, 0, "....xx").state(0) is BreakerState.CLOSED
    assert after(breaker, 0, "....xxx").state(0) is BreakerState.OPEN


def test_it_is_open_for_its_time_then_lets_probes_pass() -> None:
    """A few at a time, the first of which that ends decides."""
    breaker = after(Breaker(BREAKING), 0, "xxxx")
    later = micros(BREAKING.opens)
    assert not breaker.admits(later - 1)
    probing = breaker.begun().begun()
    assert (breaker.admits(later), probing.admits(later)) == (True, False)
    assert probing.dropped(probing.round).admits(later)
    assert probing.ended(probing.round, later, failed=False).state(later) is BreakerState.CLOSED
    again = probing.ended(probing.round, later, failed=True)
    assert again.state(2 * later - 1) is BreakerState.OPEN
    assert again.admits(2 * later)


def test_a_call_of_an_earlier_round_says_nothing() -> None:
    """It began before the breaker opened, and is neither a probe nor among the last calls."""
    first = Breaker(BREAKING).begun()
    breaker = after(first, 0, "xxxx")
    later = micros(BREAKING.opens)
    assert breaker.ended(first.round, later, failed=False) == breaker
    assert breaker.dropped(first.round) == breaker


@given(
    st.lists(st.tuples(st.sampled_from(["begin", "succeed", "fail", "drop"]), st.integers(0, 7 * SECOND)), max_size=80)
)
def test_whatever_happens_time_brings_a_probe(history: list[tuple[str, int]]) -> None:
    """It never stays shut for good: with no call under way, after its time one more is admitted."""
    breaker, now, rounds = Breaker(BREAKING), 0, list[int]()
    for what, wait in history:
        now += wait
        if what == "begin" and breaker.admits(now):
            rounds.append(breaker.round)
            breaker = breaker.begun()
        elif what == "drop" and rounds:
            breaker = breaker.dropped(rounds.pop(0))
        elif rounds and what != "begin":
            breaker = breaker.ended(rounds.pop(0), now, failed=what == "fail")
        assert 0 <= breaker.probes <= BREAKING.probes
        assert len(breaker.failed) <= BREAKING.window
    for each in rounds:
        breaker = breaker.dropped(each)
    assert breaker.admits(now + micros(BREAKING.opens))


def test_it_knows_since_when_it_is_not_closed() -> None:
    """A probe that fails begins another wait, and not another outage."""
    breaker, later = after(Breaker(BREAKING), 7, "xxxx"), micros(BREAKING.opens)
    assert breaker.left_alone() == LeftAlone(7, 7 + later)
    again = after(breaker, 7 + later, "x")
    assert again.left_alone() == LeftAlone(7, 7 + 2 * later)
    closed = after(again, 7 + 2 * later, ".")
    assert closed.left_alone() is None
    anew = 9 * later
    assert after(closed, anew, "xxxx").left_alone() == LeftAlone(anew, anew + later)


@given(st.dictionaries(st.text(), st.builds(LeftAlone, st.integers(0, 2**60), st.integers(0, 2**60))))
def test_what_a_worker_writes_of_its_breakers_another_reads(alone: dict[str, LeftAlone]) -> None:
    """And nothing is written while all are closed: the row stays small."""
    assert read(written(alone)) == alone
    assert (written(alone) == "") == (not alone)


@given(st.text())
def test_what_newer_code_writes_of_its_breakers_says_nothing(text: str) -> None:
    """A person is told less, and not shown a traceback."""
    assert isinstance(read(text), dict)
    assert read('{"psp": {"open": true}}') == {}
