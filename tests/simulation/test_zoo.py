"""The simulation can fail: each bug of the zoo is caught, and each checker is somewhere the only one to catch it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from magnetar.chaos.checkers import CHECKERS, PUNCTUAL, REQUESTS
from magnetar.chaos.simulation import Schedule, Verdict, simulate
from magnetar.chaos.simulation.schedule import WORKLOADS
from magnetar.chaos.simulation.shrinking import shrunk
from magnetar.chaos.verdict import ITSELF
from magnetar.chaos.zoo import Bug, Catch, Census, Change, Promise, TargetGone, all_bugs, broken, broken_run, hunt
from magnetar.chaos.zoo.bugs import skips_a_row_that_failed
from magnetar.chaos.zoo.census import checker_names
from magnetar.chaos.zoo.hunting import isolated
from magnetar.chaos.zoo.telling import main
from magnetar.runtime.worker.turn import Turn
from magnetar.runtime.worker.waiting import Waiting
from tests.acceptance.pages import page, tables_of

if TYPE_CHECKING:
    from typing import Any

BUGS = {bug.name: bug for bug in all_bugs()}
SKIPS = skips_a_row_that_failed.BUG


SEEN = {
    "acknowledges_before_the_commit": 13,
    "charges_a_whole_batch": 41,
    "checks_its_fence_after_the_commit": 218,
    "commits_without_a_fence": 218,
    "executes_requests_without_a_fence": 711,
    "forgets_pauses_at_a_takeover": 78,
    "keeps_states_of_an_earlier_tenure": 39,
    "keeps_the_first_row_of_a_message": 46,
    "marks_after_it_has_opened": 78,
    "moves_the_epoch_and_asks_for_none": 218,
    "opens_what_has_crashed_too_often": 78,
    "passivation_drops_mail": 38,
    "replays_without_order": 61,
    "sends_ahead_of_a_row_that_failed": 282,
    "takes_a_shard_that_moved": 394,
    "takes_its_heartbeat_for_a_lease": 218,
    "tries_the_second_before_the_first": 31,
    "waits_for_no_disk": 24,
}
"""Where a hunt is long: a schedule in which `make zoo` has shown the bug. When it shows it no more, all are tried."""


@cache
def caught(name: str) -> Catch:
    """Hunted once, whichever tests want to know of it."""
    if name in SEEN and not (catch := hunt(BUGS[name], [SEEN[name]])).problem:
        return catch
    return isolated(hunt(BUGS[name]))


def test_a_schedule_in_which_a_bug_was_seen_is_one_of_its_hunt() -> None:
    """So what is caught there is caught within its number of schedules."""
    assert [name for name, seed in SEEN.items() if seed not in range(BUGS[name].within)] == []


def same(original: Any, *arguments: Any, **named: Any) -> Any:
    """A change that changes nothing."""
    return original(*arguments, **named)


def made(change: Change, within: int = 1) -> Bug:
    """A bug of this one change."""
    return Bug("a.made_up_one", ("R1",), Promise.ONCE, within, (change,))


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_is_caught(name: str) -> None:
    """Within its number of schedules, and its line has run; one that is for a checker is seen by that one alone."""
    catch = caught(name)
    assert catch.problem == "", catch
    assert catch.catchers != ()


@pytest.mark.parametrize("checker", checker_names())
def test_a_checker_is_the_only_one_to_catch_some_bug(checker: str) -> None:
    """Without it that bug would pass: it is not there for nothing."""
    own = [name for name, bug in BUGS.items() if bug.only == checker]
    assert own != []
    assert all(caught(name).alone is not None for name in own)


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_is_caught_by_a_guard_of_its_rule(name: str) -> None:
    """A checker that names one of its rules, or whoever looks on while the run lasts."""
    checkers = [*CHECKERS, PUNCTUAL, REQUESTS, *(checker for load in WORKLOADS.values() for checker in load.checkers)]
    guards = {checker.name for checker in checkers if {*checker.rules} & {*BUGS[name].rules}}
    assert {*caught(name).catchers, BUGS[name].only} & {*guards, ITSELF}


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_says_what_it_breaks(name: str) -> None:
    """Its file names the rules first, and the promise is one of the README's."""
    bug = BUGS[name]
    told = import_module(bug.module).__doc__ or ""
    assert [rule for rule in bug.rules if not re.search(rf"\b{rule}\b", told)] == []
    assert bug.promise in {row[0] for row in tables_of(page("README.md"))}
    assert bug.only in {"", *checker_names()}


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_leaves_nothing_behind(name: str) -> None:
    """The product is as it was, however the run ended."""
    changes = BUGS[name].changes
    originals = [change.found() for change in changes]
    with broken(changes):
        assert all(change.found() is not original for change, original in zip(changes, originals, strict=True))
    with pytest.raises(RuntimeError), broken(changes):
        raise RuntimeError
    assert all(change.found() is original for change, original in zip(changes, originals, strict=True))


def test_a_hunt_leaves_nothing_behind() -> None:
    """What was broken is whole again when the bug is caught."""
    bug = BUGS["advances_memory_before_the_commit"]
    originals = [change.found() for change in bug.changes]
    assert hunt(bug).seed is not None
    assert [change.found() for change in bug.changes] == originals


def test_a_bug_whose_target_is_gone_fails() -> None:
    """And what was replaced before it is put back."""
    there, gone = Change(Turn, "_commit", same), Change(Turn, "_comit", same)
    original = there.found()
    with pytest.raises(TargetGone, match=r"there is no Turn\._comit to break"):
        hunt(replace(made(there), changes=(there, gone)))
    assert there.found() is original


def test_what_is_only_inherited_is_no_target() -> None:
    """A change there would change every other heir as well."""
    with pytest.raises(TargetGone):
        Change(Turn, "__repr__", same).found()


def test_a_bug_that_never_runs_is_no_catch() -> None:
    """All that a simulation sends has its handler, so who changes what is done else has changed nothing."""
    catch = hunt(made(Change(Waiting, "set_aside", same), within=2))
    assert catch.problem == "what it puts in place of Waiting.set_aside never ran in 2 schedules"


def test_a_bug_that_gets_away_is_told() -> None:
    """A change that changes nothing passes, however often it runs."""
    catch = hunt(made(Change(Turn, "_commit", same), within=2))
    assert catch.problem == "it passed 2 schedules"
    assert (catch.seed, catch.schedules, catch.catchers) == (None, 2, ())
    assert catch.ran["Turn._commit"] > 2


def test_a_checker_that_is_nowhere_alone_is_told() -> None:
    """The zoo lacks a bug for it, or it is not needed."""
    census = Census()
    census.add(Catch(BUGS["fires_timers_at_once"], 2, 3, 0.1, Counter({"Timers._may_fire": 1}), ("timers",), 2))
    assert census.only()["timers"] == ["fires_timers_at_once"]
    assert census.problems(whole=False) == []
    assert "replay is nowhere the only one to catch a bug" in census.problems(whole=True)
    assert len(census.problems(whole=True)) == len(checker_names()) - 1


def test_a_bug_that_its_checker_does_not_see_alone_is_told() -> None:
    """It was put there for the sake of that checker."""
    bug = replace(BUGS["fires_timers_at_once"], within=3)
    catch = Catch(bug, 2, 3, 0.1, Counter({"Timers._may_fire": 1}), ("replay", "timers"))
    assert isolated(catch).problem == "timers was the only one to see it in none of 3 schedules"


def test_a_slow_zoo_is_told() -> None:
    """A hunt that nobody waits for is one that nobody makes."""
    census = Census()
    census.add(Catch(BUGS["fires_timers_at_once"], 2, 3, 31.0, Counter({"Timers._may_fire": 1}), ("timers",), 2))
    assert "a hunt takes 31 s, more than 30 s" in census.problems(whole=True)


def test_the_command_prints_bug_by_checker(capsys: pytest.CaptureFixture[str]) -> None:
    """A line a bug, with the seed that shows it, and who alone saw it."""
    assert main(["mints_ids_at_random", "skips_a_row_that_failed", "--jobs", "2"]) == 0
    told = capsys.readouterr().out
    assert re.search(rf"^  [a-z]  {ITSELF}$", told, re.MULTILINE)
    assert re.search(r"^mints_ids_at_random +(· )+# (· )+ +0 +1 +\d+\.\d +0$", told, re.MULTILINE)
    assert re.search(r"^skips_a_row_that_failed .* x .* -$", told, re.MULTILINE)
    assert "2 of 2 caught" in told
    assert "  replay: mints_ids_at_random\n" in told


def test_the_command_fails_when_a_bug_gets_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1, and what is wrong stands below the table."""
    monkeypatch.setattr("magnetar.chaos.zoo.telling.all_bugs", lambda: (made(Change(Turn, "_commit", same)),))
    assert main(["made_up_one"]) == 1
    assert "✗ made_up_one: it passed 1 schedules" in capsys.readouterr().out


def test_the_command_goes_on_when_a_target_is_gone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1, with what to do; the other bugs are hunted all the same."""
    gone = made(Change(Turn, "_comit", same))
    monkeypatch.setattr("magnetar.chaos.zoo.telling.all_bugs", lambda: (gone, BUGS["mints_ids_at_random"]))
    assert main(["made_up_one", "mints_ids_at_random"]) == 1
    told = capsys.readouterr().out
    assert "✗ made_up_one: there is no Turn._comit to break: find what took its place" in told
    assert "1 of 2 caught" in told


def test_the_command_knows_its_bugs(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is none is an error of whoever typed it."""
    with pytest.raises(SystemExit, match="2"):
        main(["unheard_of"])
    assert "no such bug: unheard_of" in capsys.readouterr().err


def test_the_shops_own_books_show_a_lost_effect() -> None:
    """An effect that is lost on its way leaves an order without an end, goods put aside, or money kept."""
    with broken(SKIPS.changes):
        outcomes = (simulate(Schedule.of(seed, "shopping")) for seed in range(200, 260))
        assert any({"money", "stock", "terminal"} & set(each.judgement.catchers) for each in outcomes)


def test_a_failure_is_made_small() -> None:
    """Faults that a violation does not need are left out; what is left still shows it."""
    outcome = next(found for seed in range(100) if (found := broken_run(SKIPS, seed)).verdict is Verdict.INVALID)
    promise = outcome.judgement.violations[0].promise
    with broken(SKIPS.changes):
        small = shrunk(outcome)
        assert len(small.schedule.faults) < len(outcome.schedule.faults)
        assert promise in {violation.promise for violation in small.judgement.violations}
        for left in small.schedule.faults:
            others = tuple(each for each in small.schedule.faults if each != left)
            violations = simulate(replace(small.schedule, faults=others)).judgement.violations
            assert promise not in {violation.promise for violation in violations}
