"""Bug by checker: who caught what, and of what a checker is the only catcher."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from statistics import median
from string import ascii_lowercase
from typing import TYPE_CHECKING

from magnetar.chaos.checkers import CHECKERS, PUNCTUAL, REQUESTS
from magnetar.chaos.simulation.schedule import WORKLOADS
from magnetar.chaos.verdict import ITSELF

if TYPE_CHECKING:
    from magnetar.chaos.zoo.hunting import Catch

MEDIAN = 30.0
"""In seconds: a hunt takes no longer, in the middle."""

_NAMES = 38


def checker_names() -> tuple[str, ...]:
    """Every checker that a run may meet."""
    own = chain.from_iterable(workload.checkers for workload in WORKLOADS.values())
    return tuple(dict.fromkeys(checker.name for checker in (*CHECKERS, PUNCTUAL, REQUESTS, *own)))


@dataclass(slots=True)
class Census:
    """What has been hunted so far."""

    catches: list[Catch] = field(default_factory=list)

    def head(self) -> str:
        """What the columns are."""
        legend = "\n".join(f"  {letter}  {name}" for letter, name in _columns().items())
        marks = "x: complained; #: was the only one to complain, in this schedule or in the one in the last column"
        return f"{legend}\n{marks}\n{'bug':{_NAMES}} {' '.join(_columns())}   seed  schedules  seconds  alone in"

    def add(self, catch: Catch) -> str:
        """One more; its line."""
        self.catches.append(catch)
        sole = self._sole(catch)
        marks = ["#" if name in sole else "x" if name in catch.catchers else "·" for name in _columns().values()]
        seed, alone = ("-" if each is None else str(each) for each in (catch.seed, catch.alone))
        line = f"{catch.bug.name:{_NAMES}} {' '.join(marks)} {seed:>6} {catch.schedules:>10} {catch.seconds:8.1f}"
        return f"{line} {alone:>9}" + (f"  ✗ {catch.problem}" if catch.problem else "")

    def end(self, *, whole: bool) -> str:
        """How long it took, of what each checker is the only catcher, and what is not as it must be."""
        seconds = [catch.seconds for catch in self.catches]
        took = f"a hunt takes {median(seconds):.1f} s in the middle, all of them {sum(seconds):.0f} s"
        caught = sum(catch.seed is not None for catch in self.catches)
        head = f"{caught} of {len(self.catches)} caught; {took}"
        only = [f"  {name}: {', '.join(bugs) or '-'}" for name, bugs in self.only().items()]
        return "\n".join((head, "the only catcher:", *only, *(f"✗ {each}" for each in self.problems(whole=whole))))

    def only(self) -> dict[str, list[str]]:
        """Checker → the bugs that it alone has caught in some schedule."""
        return {
            name: [catch.bug.name for catch in self.catches if name in self._sole(catch)]
            for name in _columns().values()
        }

    def problems(self, *, whole: bool) -> list[str]:
        """What is not as it must be; `whole`: of a zoo in which every checker has a bug of its own."""
        found = [f"{catch.bug.name}: {catch.problem}" for catch in self.catches if catch.problem]
        if whole:
            needless = [name for name in checker_names() if not self.only()[name]]
            found += [f"{name} is nowhere the only one to catch a bug" for name in needless]
            took = median(catch.seconds for catch in self.catches)
            found += [f"a hunt takes {took:.0f} s, more than {MEDIAN:.0f} s"] if took > MEDIAN else []
        return found

    @staticmethod
    def _sole(catch: Catch) -> set[str]:
        """Who was the only one to complain, in the first schedule that caught it or in the one looked for."""
        first = catch.catchers if len(catch.catchers) == 1 else ()
        return {*first, *(() if catch.alone is None else (catch.bug.only,))}


def _columns() -> dict[str, str]:
    return dict(zip(ascii_lowercase, (*checker_names(), ITSELF), strict=False))
