"""The simulation can fail: each engine of the bug zoo is caught, within a number of seeds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from magnetar.chaos.simulation import Outcome, Schedule, Verdict, simulate
from magnetar.chaos.simulation.shrinking import shrunk
from tests.simulation.bugs import BUGS, skips_a_row_that_failed


def run(seed: int) -> Outcome:
    """Of its own schedule."""
    return simulate(Schedule.of(seed))


@pytest.mark.parametrize("name", BUGS)
def test_a_known_bug_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some run of the broken engine is invalid."""
    bug, within = BUGS[name]
    bug(monkeypatch)
    caught = next((seed for seed in range(within) if run(seed).verdict is Verdict.INVALID), None)
    print(f"{name}: caught by seed {caught}")  # noqa: T201 - read with -s
    assert caught is not None, f"{name} passed {within} runs"


def test_the_shops_own_books_show_a_lost_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """An effect that is lost on its way leaves an order without an end, goods put aside, or money kept."""
    skips_a_row_that_failed(monkeypatch)
    outcomes = (simulate(Schedule.of(seed, "shopping")) for seed in range(60))
    assert any({"money", "stock", "terminal"} & set(each.judgement.catchers) for each in outcomes)


def test_a_failure_is_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults that a violation does not need are left out; what is left still shows it."""
    skips_a_row_that_failed(monkeypatch)
    outcome = next(found for found in map(run, range(100)) if found.verdict is Verdict.INVALID)
    small = shrunk(outcome)
    promise = outcome.judgement.violations[0].promise
    assert len(small.schedule.faults) < len(outcome.schedule.faults)
    assert promise in {violation.promise for violation in small.judgement.violations}
    for left in small.schedule.faults:
        others = tuple(each for each in small.schedule.faults if each != left)
        found = simulate(replace(small.schedule, faults=others)).judgement.violations
        assert promise not in {violation.promise for violation in found}
