"""Each checker on the smallest histories: what it must pass, what it must fail, and nothing, of which it says nothing.

A story is a few rows made by hand (`stories_of_…`); `test_falsifications` falsifies a whole run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.chaos.checkers import CHECKERS, PUNCTUAL, REQUESTS
from magnetar.chaos.simulation.cashiers import cashiers
from magnetar.chaos.simulation.clerks import clerks
from magnetar.chaos.simulation.schedule import WORKLOADS
from magnetar.chaos.simulation.shopping import shop
from magnetar.chaos.simulation.warehouse import warehouse
from magnetar.chaos.verdict import Finding, Verdict, judge
from tests.simulation import (
    stories_of_books,
    stories_of_effects,
    stories_of_failures,
    stories_of_keys,
    stories_of_messages,
    stories_of_requests,
)
from tests.simulation.remains import Remains

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.chaos.verdict import Checker
    from magnetar.runtime.wiring import Wiring
    from tests.simulation.stories_of_keys import Story

STORIES = (
    stories_of_messages,
    stories_of_keys,
    stories_of_books,
    stories_of_failures,
    stories_of_effects,
    stories_of_requests,
)
APPS: dict[str, Callable[[], Wiring]] = {
    "shopping": lambda: shop(1),
    "charging": lambda: cashiers(1),
    "failing": lambda: clerks(1, "hold", 1),
    "": lambda: warehouse(1),
}
"""By the workload in a checker's name; for those of every run, the warehouse."""

GOOD: dict[str, Story] = {checker: story for module in STORIES for checker, story in module.GOOD.items()}
BAD: dict[Story, tuple[str, str]] = {story: names for module in STORIES for story, names in module.BAD.items()}
OWN = {f"{workload} {each.name}": each for workload, load in WORKLOADS.items() for each in load.checkers}
ALL: dict[str, Checker] = {checker.name: checker for checker in (*CHECKERS, PUNCTUAL, REQUESTS)} | OWN


def empty(checker: str) -> Remains:
    """A run of the checker's app in which nothing has happened."""
    return Remains(next(app() for workload, app in APPS.items() if checker.startswith(workload)))


def told(checker: str, story: Story) -> Finding:
    """What the checker finds in a story."""
    run = empty(checker)
    story(run)
    return Finding.of(ALL[checker], run.history, run.evidence())


def test_every_checker_has_its_stories() -> None:
    """One that it passes, and at least one that it fails."""
    assert set(GOOD) == set(ALL)
    assert {checker for checker, _ in BAD.values()} == set(ALL)


@pytest.mark.parametrize("checker", GOOD)
def test_it_passes_what_is_good(checker: str) -> None:
    """And it has looked at something."""
    finding = told(checker, GOOD[checker])
    assert finding.witnesses == ()
    assert finding.examined > 0


@pytest.mark.parametrize("story", BAD, ids=lambda story: story.__name__)
def test_it_fails_what_is_bad(story: Story) -> None:
    """It complains once, and names the promise."""
    checker, promise = BAD[story]
    finding = told(checker, story)
    assert [witness.promise for witness in finding.witnesses] == [promise]


@pytest.mark.parametrize("checker", ALL)
def test_of_nothing_it_says_nothing(checker: str) -> None:
    """A run that gave it nothing to look at is not good, it is unknown, and its doubt names the checker."""
    run = empty(checker)
    judgement = judge(run.history, run.evidence(), [ALL[checker]])
    assert judgement.verdict is Verdict.UNKNOWN
    assert f"{ALL[checker].name}: there was nothing to look at" in judgement.doubts


def test_a_clock_that_was_put_back_excuses_a_later_row() -> None:
    """What was handled before the jump is later than what the clock shows now. A commit and a chain are looked at."""
    finding = told("no fork", stories_of_keys.one_chain_after_a_jump)
    assert (finding.wrong, finding.examined) == (0, 2)


def test_what_another_release_wrote_is_replayed_as_it_was_written() -> None:
    """Its bytes fit the schema of its row, which the store keeps; today's code has another."""
    finding = told("replay", stories_of_keys.asked_by_another_release)
    assert (finding.wrong, finding.examined) == (0, 1)


def test_what_a_person_has_replayed_is_excused() -> None:
    """It has failed more often than it says, and comes after what was behind it."""
    assert told("failing attempts", stories_of_failures.applied_by_a_person).wrong == 0
    run = empty("failing")
    stories_of_failures.overtaken_by_a_person(run)
    for checker in ("failing tails", "per-key order"):
        assert Finding.of(ALL[checker], run.history, run.evidence()).wrong == 0
