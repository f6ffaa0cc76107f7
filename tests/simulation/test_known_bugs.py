"""The simulation can fail: each engine of the bug zoo is caught, within a number of seeds."""

from __future__ import annotations

import pytest

from magnetar.chaos.simulation import Verdict, simulate
from magnetar.chaos.simulation.campaign import shrunk
from magnetar.chaos.simulation.shopping import Shopping
from tests.simulation.bugs import BUGS, skips_a_row_that_failed


@pytest.mark.parametrize("name", BUGS)
def test_a_known_bug_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some run of the broken engine is invalid."""
    bug, within = BUGS[name]
    bug(monkeypatch)
    caught = next((seed for seed in range(within) if simulate(seed).verdict is Verdict.INVALID), None)
    print(f"{name}: caught by seed {caught}")  # noqa: T201 - read with -s
    assert caught is not None, f"{name} passed {within} runs"


def test_the_shops_own_books_show_a_lost_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """An effect that is lost on its way leaves an order without an end, goods put aside, or money kept."""
    skips_a_row_that_failed(monkeypatch)
    outcomes = (simulate(seed, workload=Shopping()) for seed in range(60))
    assert any(violation.promise == "the shop's books agree" for each in outcomes for violation in each.violations)


def test_a_failure_is_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults that a violation does not need are left out; what is left still shows it."""
    skips_a_row_that_failed(monkeypatch)
    outcome = next(found for found in map(simulate, range(100)) if found.violations)
    small = shrunk(outcome)
    assert len(small.faults) < len(outcome.faults)
    assert small.violations[0].promise == outcome.violations[0].promise
    assert all(
        simulate(small.seed, [each for each in small.faults if each != left]).violations == [] for left in small.faults
    )
