"""What the supervisor decides, by injected time: whatever dies comes back, later and later; all end in order."""

from __future__ import annotations

import logging
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from magnetar.runtime.threads.supervision import FAILED, OK, Act, Deed, Patience, Supervision, worded

BAD = 2
PATIENCE = Patience()
LONG = PATIENCE.settled


def started(supervision: Supervision, now: float) -> list[int]:
    """Start what is to be started; the places."""
    acts = supervision.step(now)
    assert {act.deed for act in acts} <= {Deed.START}
    for act in acts:
        supervision.started(act.place, now)
    return [act.place for act in acts]


@pytest.fixture
def three() -> Supervision:
    """Three that run since 0."""
    supervision = Supervision(3, PATIENCE, BAD, 0.0)
    assert started(supervision, 0.0) == [0, 1, 2]
    return supervision


@given(st.integers(1, 10_000))
def test_the_wait_doubles_up_to_a_bound(failures: int) -> None:
    """And never overflows, for it goes on for ever."""
    assert PATIENCE.before(1) == PATIENCE.first
    assert PATIENCE.before(failures + 1) == min(PATIENCE.most, 2 * PATIENCE.before(failures))


def test_a_dead_one_is_started_again_alone_and_later_each_time(three: Supervision) -> None:
    """0.2 s, 0.4 s, … 10 s; the others run on."""
    now, waits = 1.0, list[float]()
    for _ in range(9):
        three.ended(1, FAILED, now)
        died = now
        while not started(three, now):
            now += 0.05
        waits.append(round(now - died, 2))
    assert waits == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 10], abs=0.06)


def test_a_long_run_is_forgiven(three: Supervision) -> None:
    """After a minute it counts from the beginning."""
    now = 1.0
    for _ in range(8):
        three.ended(1, -signal.SIGKILL, now)
        now += PATIENCE.most
        assert started(three, now) == [1]
    three.ended(1, FAILED, now + LONG)
    assert started(three, now + LONG + PATIENCE.first - 0.01) == []
    assert started(three, now + LONG + PATIENCE.first) == [1]


def test_it_never_gives_up_but_says_so(three: Supervision, caplog: pytest.LogCaptureFixture) -> None:
    """Each death is a warning; every fifth in a row is an error."""
    now = 1.0
    for _ in range(10):
        three.ended(0, 3, now)
        now += PATIENCE.most
        assert started(three, now) == [0]
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 2
    assert "process 0 ended with exit status 3 after" in caplog.text
    assert "5 in a row" in caplog.text


def test_bad_input_at_once_ends_the_whole(three: Supervision) -> None:
    """With its status: the next start would do the same."""
    three.ended(2, BAD, 0.5)
    assert three.step(0.5) == [Act(Deed.TERMINATE, 0), Act(Deed.TERMINATE, 1)]
    three.ended(0, OK, 1.0)
    assert three.finished(1.0) is None
    three.ended(1, FAILED, 1.0)
    assert three.finished(1.0) == BAD


@pytest.mark.parametrize("who", [0, 2])
def test_bad_input_later_does_not_end_what_works(three: Supervision, who: int) -> None:
    """One has run for long, so it was no mistake of the command line: perhaps the code on the disk is being changed."""
    three.ended(who, BAD, LONG)
    assert three.finished(LONG) is None
    assert started(three, LONG + 1) == [who]


def test_all_are_asked_to_end_once_and_killed_when_they_do_not(three: Supervision) -> None:
    """After the time for draining, and some grace."""
    three.stop(5.0)
    assert [act.deed for act in three.step(5.0)] == [Deed.TERMINATE] * 3
    assert three.step(6.0) == []
    three.ended(0, OK, 7.0)
    three.stop(8.0)  # again: no more time for that
    end = 5.0 + PATIENCE.drain + PATIENCE.grace
    assert three.step(end - 0.01) == []
    assert three.step(end) == [Act(Deed.KILL, 1), Act(Deed.KILL, 2)]
    assert three.step(end) == []
    three.ended(1, -signal.SIGKILL, end)
    three.ended(2, -signal.SIGKILL, end)
    assert three.finished(end) == FAILED


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        ([OK, OK, OK], OK),
        ([OK, -signal.SIGTERM, OK], OK),  # it had not come so far as to hold anything
        ([OK, FAILED, OK], FAILED),
        ([130, OK, OK], FAILED),
        ([-signal.SIGSEGV, OK, OK], FAILED),
    ],
)
def test_the_whole_ended_in_order_when_each_did(three: Supervision, statuses: list[int], whole: int) -> None:
    """Else its status is 1."""
    three.stop(1.0)
    for place, status in enumerate(statuses):
        assert three.finished(1.0) is None
        three.ended(place, status, 2.0)
    assert three.finished(2.0) == whole


def test_nothing_is_started_once_all_are_to_end(three: Supervision) -> None:
    """Also not one that was waiting for its next start."""
    three.ended(0, FAILED, 1.0)
    three.stop(1.1)
    assert {act.deed for act in three.step(100.0)} == {Deed.KILL}
    three.ended(1, OK, 100.0)
    three.ended(2, OK, 100.0)
    assert three.finished(100.0) == OK


def test_nobody_waits_for_ever_for_one_that_cannot_be_killed(three: Supervision) -> None:
    """A process in the kernel's hands, on a disk that is away."""
    three.stop(0.0)
    end = PATIENCE.drain + 2 * PATIENCE.grace
    assert three.finished(end - 0.01) is None
    assert three.finished(end) == FAILED


@pytest.mark.parametrize(
    ("status", "words"),
    [(1, "ended with exit status 1"), (-9, "was ended by SIGKILL"), (-250, "was ended by signal 250")],
)
def test_an_exit_status_is_put_into_words(status: int, words: str) -> None:
    """As an operator knows it."""
    assert worded(status) == words


class Supervised(RuleBasedStateMachine):
    """Any story: what runs is as told, nobody is started twice, asked twice or forgotten, and it comes to an end."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.running: set[int] = set()
        self.asked: set[tuple[Deed, int]] = set()
        self.stopped: float | None = None
        self.count = 0
        self.supervision = Supervision(0, PATIENCE, BAD, 0.0)

    @initialize(count=st.integers(1, 4))
    def begin(self, count: int) -> None:
        """So many places."""
        self.count = count
        self.supervision = Supervision(count, PATIENCE, BAD, 0.0)

    @rule(passed=st.sampled_from([0.0, 0.1, 1.0, 5.0, 10.0, 61.0]))
    def wait(self, passed: float) -> None:
        """Time passes."""
        self.now += passed

    @rule(fails=st.booleans())
    def step(self, *, fails: bool) -> None:
        """The decisions are carried out; a start may fail."""
        for deed, place in self.supervision.step(self.now):
            if deed is Deed.START:
                assert self.stopped is None
                assert place not in self.running
                self._start(place, fails=fails)
            else:
                assert self.stopped is not None
                assert place in self.running
                assert (deed, place) not in self.asked
                self.asked.add((deed, place))

    def _start(self, place: int, *, fails: bool) -> None:
        if fails:
            self.supervision.ended(place, FAILED, self.now)
        else:
            self.running.add(place)
            self.supervision.started(place, self.now)

    @precondition(lambda self: self.running)
    @rule(choice=st.integers(0, 3), status=st.sampled_from([OK, FAILED, 70, -9, -15]))
    def die(self, choice: int, status: int) -> None:
        """One ends by itself, or because it was asked."""
        place = sorted(self.running)[choice % len(self.running)]
        self.running.remove(place)
        self.supervision.ended(place, status, self.now)

    @rule()
    def stop(self) -> None:
        """A signal."""
        self.stopped = self.now if self.stopped is None else self.stopped
        self.supervision.stop(self.now)

    @invariant()
    def is_over_when_all_are_gone(self) -> None:
        """Not before it was asked to end; then as soon as nobody runs, or nobody waits any more."""
        longest = PATIENCE.drain + 2 * PATIENCE.grace
        over = self.stopped is not None and (not self.running or self.now >= self.stopped + longest)
        assert (self.supervision.finished(self.now) is not None) == over

    def teardown(self) -> None:
        """Whoever does not run is started within the longest wait, unless all are to end."""
        if self.stopped is not None:
            return
        self.now += PATIENCE.most
        due = {act.place for act in self.supervision.step(self.now)}
        assert due == set(range(self.count)) - self.running


TestSupervised = Supervised.TestCase
