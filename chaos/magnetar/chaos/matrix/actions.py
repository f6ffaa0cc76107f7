"""What can be done to a worker at a fault point, and where that cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.matrix.fragile import Breaker, fragile_bus
from magnetar.chaos.matrix.raising import error_at, why_known, why_silent
from magnetar.chaos.simulation.deaths import Crash
from magnetar.chaos.simulation.weather import LATE
from magnetar.runtime.store.port import CommitUnknown, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from magnetar.chaos.simulation.process import Process
    from magnetar.chaos.simulation.run import Run
    from magnetar.runtime.instant import Instant

TAKEOVER = 1.5
"""For so many seconds a worker is frozen: another one starts at once, and has all of its shards by then."""


@dataclass(slots=True)
class Stage:
    """A run, and what was done to it. `effects`: when each fault took effect, by name, in order."""

    run: Run
    effects: list[tuple[Instant, str]] = field(default_factory=list)
    breaker: Breaker = field(init=False)

    def __post_init__(self) -> None:
        self.breaker = Breaker(lambda: self.took_effect("exception"))
        self.run.scene.between = lambda bus: fragile_bus(bus, self.breaker)

    def took_effect(self, action: str) -> None:
        """The fault was seen to do what it should."""
        self.effects.append((self.run.agenda.now, action))
        self.run.history.took_effect(action)

    def tell(self, process: Process, what: str) -> None:
        """A line of the story."""
        self.run.history.tell(f"{process.name}, at {process.point}: {what}", harm=True)


class Action(NamedTuple):
    """`refuses`: why it cannot strike at a point, empty where it can; `strike`: what it does to a process there."""

    tells: str
    refuses: Callable[[str], str]
    strike: Callable[[Stage, Process], None]


def _kill(stage: Stage, process: Process) -> None:
    stage.run.nemesis.look_at_acknowledgements()
    stage.tell(process, "it is killed")
    stage.took_effect("kill")
    raise Crash


def _freeze(stage: Stage, process: Process) -> None:
    """It took effect if all of the shards are somebody else's when it goes on."""
    stage.run.nemesis.look_at_acknowledgements()
    stage.run.fleet.replace(process, 0.0)
    stage.run.fleet.freeze(process, TAKEOVER)
    owners = {row.owner for row in stage.run.scene.views.shards()}
    if owners.isdisjoint({process.name, ""}):
        stage.took_effect("freeze")


def _raise(stage: Stage, process: Process) -> None:
    error = error_at(process.point)
    stage.tell(process, f"it gets {type(error).__name__}")
    if isinstance(error, StoreUnavailable):
        stage.took_effect("exception")
        raise error
    if process.point.endswith(":before"):
        stage.breaker.before(error)
    else:
        stage.breaker.after(error)


def _lose(action: str, outcome: str) -> Callable[[Stage, Process], None]:
    def strike(stage: Stage, process: Process) -> None:
        stage.tell(process, f"the answer is lost, {outcome}")
        stage.took_effect(action)
        raise CommitUnknown(f"{process.point}: the answer was lost, for the crash matrix")

    return strike


def _late(stage: Stage, process: Process) -> None:
    """The commit that comes now meets its fate; it took effect if that was counted."""
    counted = stage.run.history.effective.get("unknown commit", 0)
    stage.run.scene.weather.fates.appendleft(LATE)
    stage.tell(process, "the answer is lost, the write is still under way")

    def look() -> None:
        if stage.run.history.effective.get("unknown commit", 0) > counted:
            stage.took_effect("late")

    stage.run.agenda.after(0.0, look)


def _never(_: str) -> str:
    return ""


def _only_commits(point: str) -> str:
    return "" if point == "store.commit:before" else "only a group's commit may still be under way"


ACTIONS: Mapping[str, Action] = {
    "kill": Action("the process is gone", _never, _kill),
    "freeze": Action("it stops, and goes on when another worker has taken over", _never, _freeze),
    "exception": Action("the port raises what it may raise there", why_silent, _raise),
    "happened": Action(
        "the outcome of a write is unknown; it had happened",
        partial(why_known, side="after"),
        _lose("happened", "the write has happened"),
    ),
    "lost": Action(
        "the outcome of a write is unknown; it had not happened",
        partial(why_known, side="before"),
        _lose("lost", "the write has not happened"),
    ),
    "late": Action("the same; it happens later, before anybody else gets its locks", _only_commits, _late),
}
"""Every action, by name."""
