"""Schedules that once broke a promise: each is run again, and stays what it was made for."""

from __future__ import annotations

from pathlib import Path

import pytest

from magnetar.chaos.simulation import Schedule, Verdict, simulate
from magnetar.chaos.simulation.telling import story

KEPT = sorted(Path(__file__).parent.joinpath("schedules").glob("*.json"))
"""`python -m magnetar.chaos.simulation --seed … --shrink --keep FILE` makes one."""


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_schedule_that_failed_once_does_not_fail_again(path: Path) -> None:
    """Whatever the code draws from a seed today, the schedule is the one that failed."""
    outcome = simulate(Schedule.from_json(path.read_text(encoding="utf-8")))
    assert outcome.applied > 0
    assert outcome.verdict is not Verdict.INVALID, story(outcome)
