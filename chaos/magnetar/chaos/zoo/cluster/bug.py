"""What a bug of this house is."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from magnetar.chaos.scenarios.reading import read
from magnetar.chaos.zoo.cluster import bugs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.chaos.scenarios.spec import Scenario
    from magnetar.chaos.zoo.bug import Change, Promise

PLAYS = Path(__file__).with_name("plays")


@dataclass(frozen=True, slots=True)
class ClusterBug:
    """A way to build the product wrong that only a real cluster shows.

    `rules` and `promise`: as of any bug. `play`: the id of the scenario of `plays` that shows it. `caught_by`: the
    checker that must find something wrong there, or the bound that must be exceeded.
    """

    module: str
    rules: tuple[str, ...]
    promise: Promise
    play: str
    caught_by: str
    changes: tuple[Change, ...]

    @property
    def name(self) -> str:
        """That of its file."""
        return self.module.rpartition(".")[2]

    @property
    def targets(self) -> tuple[str, ...]:
        """What it puts something else in place of."""
        return tuple(change.target for change in self.changes)

    def require_targets(self) -> None:
        """Raise `TargetGone` if something that it changes is not there any more."""
        for change in self.changes:
            change.found()


def all_bugs() -> Mapping[str, ClusterBug]:
    """The `BUG` of every module of the house, by name."""
    names = sorted(module.name for module in iter_modules(bugs.__path__))
    found = [import_module(f"{bugs.__name__}.{name}").BUG for name in names]
    assert all(isinstance(bug, ClusterBug) for bug in found), "every file of the house has a bug"
    return {bug.name: bug for bug in found}


def plays() -> Mapping[str, tuple[Path, Scenario]]:
    """The scenarios, by id, with their files. Raises `ScenarioRefused`."""
    found = [(path, read(path)) for path in sorted(PLAYS.glob("*.yaml"))]
    return {scenario.id: (path, scenario) for path, scenario in found}
