"""Hunting a bug: run schedules of the broken product until a checker complains."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from magnetar.chaos.simulation.run import simulate
from magnetar.chaos.simulation.schedule import Schedule
from magnetar.chaos.verdict import Verdict
from magnetar.chaos.zoo import bugs
from magnetar.chaos.zoo.bug import Bug, broken, of_module

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.chaos.simulation.run import Outcome


def all_bugs() -> tuple[Bug, ...]:
    """The `BUG` of every module of the zoo, by name."""
    return tuple(
        of_module(f"{bugs.__name__}.{name}") for name in sorted(each.name for each in iter_modules(bugs.__path__))
    )


@dataclass(frozen=True, slots=True)
class Catch:
    """How a hunt ended.

    `seed`: the schedule in which the bug was caught, None when it got away; `schedules`: how many were run. `ran`: how
    often each changed place ran in them. `alone`: the seed in which only one checker saw it, where that was wanted.
    `gone`: why nothing could be run.
    """

    bug: Bug
    seed: int | None
    schedules: int
    seconds: float
    ran: Counter[str]
    catchers: tuple[str, ...] = ()
    alone: int | None = None
    gone: str = ""

    @property
    def problem(self) -> str:
        """Why this is not good enough; empty when it is."""
        if self.gone:
            return self.gone
        silent = [change.target for change in self.bug.changes if not self.ran[change.target]]
        if silent:
            return f"what it puts in place of {', '.join(silent)} never ran in {self.schedules} schedules"
        if self.seed is None:
            return f"it passed {self.schedules} schedules"
        if self.bug.only and self.alone is None:
            return f"{self.bug.only} was the only one to see it in none of {self.bug.within} schedules"
        return ""


def broken_run(bug: Bug, seed: int, ran: Counter[str] | None = None) -> Outcome:
    """The schedule of this seed, with the bug in the product. Raises `TargetGone`."""
    with broken(bug.changes, ran):
        return simulate(Schedule.of(seed))


def hunt(bug: Bug, seeds: Iterable[int] | None = None) -> Catch:
    """Until the first schedule in which it is caught. Raises `TargetGone`."""
    ran, began, schedules = Counter[str](), time.perf_counter(), 0
    for seed in range(bug.within) if seeds is None else seeds:
        schedules += 1
        outcome = broken_run(bug, seed, ran)
        if outcome.verdict is Verdict.INVALID:
            catchers = tuple(outcome.judgement.catchers)
            alone = seed if catchers == (bug.only,) else None
            return Catch(bug, seed, schedules, time.perf_counter() - began, ran, catchers, alone)
    return Catch(bug, None, schedules, time.perf_counter() - began, ran)


def isolated(catch: Catch) -> Catch:
    """The same with `alone`, where a checker is wanted as the only one to see it and the first catch was not that."""
    bug = catch.bug
    if not bug.only or catch.alone is not None or catch.seed is None:
        return catch
    for seed in range(catch.seed + 1, bug.within):
        if broken_run(bug, seed).judgement.catchers == [bug.only]:
            return replace(catch, alone=seed)
    return catch
