"""Playing a cell of the matrix: a kind of step, and the faults that strike in it, one after another."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.matrix.actions import ACTIONS, Stage
from magnetar.chaos.matrix.steps import STEPS
from magnetar.chaos.simulation.agenda import START
from magnetar.chaos.simulation.run import Run
from magnetar.runtime.instant import SECOND, Instant, micros

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magnetar.chaos.simulation.ground import Ground
    from magnetar.chaos.simulation.process import Process
    from magnetar.chaos.simulation.run import Outcome

Passes = dict[str, list[Instant]]
"""When each fault point was passed."""

_FAR: Instant = START + 10**6 * SECOND


class Strike(NamedTuple):
    """A fault: what is done at the so-manieth pass of a fault point, counted from when it may strike."""

    action: str
    point: str
    nth: int

    def __str__(self) -> str:
        return f"{self.action}@{self.point}#{self.nth}"


class Cell(NamedTuple):
    """A kind of step, by name, and its faults: each may strike as soon as the one before has taken effect."""

    step: str
    strikes: tuple[Strike, ...]

    def __str__(self) -> str:
        return ",".join([self.step, *map(str, self.strikes)])

    @classmethod
    def parse(cls, text: str) -> Cell:
        """The inverse of `str(cell)`; `ValueError` for another text, or a step, action or number that there is not."""
        step, *strikes = text.split(",")
        if step not in STEPS:
            raise ValueError(f"there is no step {step!r}, only {', '.join(STEPS)}")
        return cls(step, tuple(map(_strike, strikes)))


def _strike(text: str) -> Strike:
    action, _, rest = text.partition("@")
    point, _, nth = rest.rpartition("#")
    if action not in ACTIONS or not point:
        raise ValueError(f"{text!r} is not ACTION@POINT#NUMBER with an action of {', '.join(ACTIONS)}")
    return Strike(action, point, int(nth))


@dataclass(frozen=True, slots=True)
class Played:
    """A cell, played.

    `passes`: when each point was reached from the instant at which its last fault struck. `effects`: when the faults
    took effect: a freeze does when it is over.
    """

    cell: Cell
    outcome: Outcome = field(repr=False)
    passes: Passes = field(repr=False)
    effects: tuple[tuple[Instant, str], ...]

    @property
    def problems(self) -> list[str]:
        """Why it is red: promises that broke, or that the faults did nothing, or that nothing was applied after."""
        found = [str(violation) for violation in self.outcome.judgement.violations]
        wanted = [strike.action for strike in self.cell.strikes]
        seen = [action for _, action in self.effects]
        if sorted(seen) != sorted(wanted):
            found.append(f"unknown: of the faults {wanted}, {seen or 'none'} took effect")
        elif self.effects and not self._applied_after(max(at for at, _ in self.effects)):
            found.append("unknown: no message was applied after the last fault")
        return found

    @property
    def green(self) -> bool:
        """Whether the faults took effect and every promise was kept."""
        return not self.problems

    def _applied_after(self, instant: Instant) -> bool:
        timelines = self.outcome.evidence.timelines.values()
        return any(row.now > instant for timeline in timelines for row in timeline)


@dataclass(slots=True)
class Snare:
    """Waits for the so-manieth pass of a point. See `Armed`."""

    point: str
    left: int
    action: Callable[[Process], None]

    def springs(self, point: str, now: Instant) -> bool:  # noqa: ARG002
        """See `Armed`."""
        if point == self.point:
            self.left -= 1
            return self.left == 0
        return False


@dataclass(slots=True)
class Lookout:
    """Writes down when each point is passed, up to an instant, and never springs. See `Armed`."""

    until: Instant
    passes: Passes = field(default_factory=dict)

    def action(self, process: Process) -> None:
        """See `Armed`."""

    def springs(self, point: str, now: Instant) -> bool:
        """See `Armed`."""
        if now <= self.until:
            self.passes.setdefault(point, []).append(now)
        return False


def play(cell: Cell, ground: Ground | None = None) -> Played:
    """Play it in virtual time, in this thread. The same cell is the same run, to the last byte.

    `ground`: see `simulate`.
    """
    step = STEPS[cell.step]
    run = Run(step.schedule, ground)
    stage, lookout = Stage(run), Lookout(START + micros(step.ends))
    try:
        for cue in step.cues:
            run.agenda.after(cue.at, partial(cue.act, run.nemesis))
        begin = partial(_arm, stage, cell.strikes, lookout)
        if step.begins:
            run.agenda.after(step.begins, begin)
        else:
            begin()
        return Played(cell, run.outcome(), lookout.passes, tuple(stage.effects))
    finally:
        run.close()


def _arm(stage: Stage, strikes: Sequence[Strike], lookout: Lookout) -> None:
    """Wait for the first of these faults; the others wait from when it strikes, the lookout from the last one on."""
    armed = stage.run.nemesis.armed
    if not strikes:
        armed.append(lookout)
        return
    first, *others = strikes

    def strike(process: Process) -> None:
        lookout.until = _FAR
        _arm(stage, others, lookout)
        ACTIONS[first.action].strike(stage, process)

    armed.append(Snare(first.point, first.nth, strike))
