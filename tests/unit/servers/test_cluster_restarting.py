"""When a member is started again: whatever happens to it, in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from magnetar.runtime.servers.cluster import restarting
from magnetar.runtime.servers.cluster.restarting import (
    FIRST_SECONDS,
    HUNG_SECONDS,
    LATE_SECONDS,
    LONGEST_SECONDS,
    STEADY_SECONDS,
    Life,
)

SPANS = st.floats(0, 60, allow_nan=False)


class Lives(RuleBasedStateMachine):
    """One member, and somebody who starts it whenever it is due."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life()
        self.now = 1000.0
        self.asked_to_run = False
        self.own_ends = 0
        self.starts = 0
        self.askings = 0

    @rule(seconds=SPANS)
    def time_goes_by(self, seconds: float) -> None:
        """And whoever is due is started."""
        self.now += seconds
        if restarting.is_due(self.life, self.now):
            assert self.asked_to_run
            self.life = restarting.started(self.life, self.now)
            self.starts += 1

    @rule()
    def it_is_wanted(self) -> None:
        """It is due at once unless it runs."""
        self.life = restarting.wanted(self.life, self.now)
        self.asked_to_run = True
        self.askings += 1
        assert restarting.is_due(self.life, self.now) == (self.life.since is None)

    @rule()
    def it_is_ended_on_purpose(self) -> None:
        """Nothing brings it back but being wanted."""
        self.life = restarting.down(restarting.unwanted(self.life))
        self.asked_to_run = False

    @rule()
    def it_ends(self) -> None:
        """By itself, while it runs."""
        if self.life.since is not None:
            self.life = restarting.ended(self.life, self.now)
            self.own_ends += 1

    @invariant()
    def it_is_back_in_time(self) -> None:
        """A wanted member that is down is due after five seconds at most."""
        if self.life.wanted and self.life.since is None:
            assert restarting.is_due(self.life, self.now + LONGEST_SECONDS)

    @invariant()
    def it_is_not_started_by_itself(self) -> None:
        """Restarts are starts that follow an end of its own, never more."""
        assert self.life.restarts <= min(self.own_ends, self.starts)
        assert self.starts - self.life.restarts <= self.askings


TestLives = Lives.TestCase


@given(st.integers(1, 10_000))
def test_pauses_double_up_to_five_seconds(ends: int) -> None:
    """From 0.2 s; never shorter than the one before."""
    assert FIRST_SECONDS <= restarting.pause(ends) <= restarting.pause(ends + 1) <= LONGEST_SECONDS
    assert restarting.pause(ends + 1) in {2 * restarting.pause(ends), LONGEST_SECONDS}


@given(st.floats(0, STEADY_SECONDS * 2), st.integers(1, 9))
def test_a_long_life_makes_good(lasted: float, before: int) -> None:
    """After a steady run the next end counts as the first; after a short one it is one more."""
    life = Life(wanted=True, since=100.0, ends=before)
    ends = restarting.ended(life, 100.0 + lasted).ends
    assert ends == (1 if 100.0 + lasted - 100.0 >= STEADY_SECONDS else before + 1)


@given(st.lists(st.tuples(SPANS, st.booleans()), min_size=1))
def test_who_is_in_place_never_hangs(looks: list[tuple[float, bool]]) -> None:
    """It hangs if it has missed its place for as long as the limit says, without a break."""
    life, now, placed, missing = restarting.started(Life(), 0.0), 0.0, False, None
    for seconds, there in looks:
        now += seconds
        life = restarting.seen(life, now, placed=there)
        placed = placed or there
        missing = None if there else now if missing is None else missing
        limit = HUNG_SECONDS if placed else LATE_SECONDS
        assert restarting.is_hung(life, now) == (missing is not None and now - missing >= limit)


def test_a_new_run_is_judged_anew() -> None:
    """What the last run missed is not held against the next."""
    life = restarting.seen(restarting.seen(Life(since=0.0), 0.0, placed=True), 1.0, placed=False)
    again = restarting.started(restarting.ended(life, 50.0), 51.0)
    assert not restarting.is_hung(restarting.seen(again, 52.0, placed=False), 52.0 + HUNG_SECONDS)
