"""Does what a scenario does, each at its time or when the one before is over, and undoes it in any case."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx2

from magnetar.actors.providing.emulator.process import ProviderFailed
from magnetar.chaos.cluster.crew import CrewFailed
from magnetar.chaos.cluster.errors import ChaosError
from magnetar.chaos.faults.striking import struck
from magnetar.chaos.playing.agenda import agenda
from magnetar.chaos.playing.budget import away, is_within
from magnetar.chaos.record.shape import Blow
from magnetar.chaos.scenarios import spec
from magnetar.chaos.scenarios.making import fault_of, target_of
from magnetar.runtime.servers import ServerError
from magnetar.runtime.store.port import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magnetar.chaos.faults.striking import Blow as Struck
    from magnetar.chaos.playing.agenda import Step
    from magnetar.chaos.playing.stage import Stage
    from magnetar.chaos.scenarios.spec import Deed

PROBLEMS = (ChaosError, ServerError, CrewFailed, StoreError, ProviderFailed, httpx2.HTTPError, OSError)
"""What a fault may meet on its way: then it is not proven, and the run goes on to tell so."""


@dataclass(slots=True)
class Dealt:
    """One blow of the scenario, while and after it is in force. `trouble`: what kept it from being struck or healed."""

    deed: Deed
    title: str
    began: float
    gone: tuple[str, ...] = ()
    blow: Struck | None = None
    inside: bool = True
    trouble: str = ""
    undo: ExitStack = field(default_factory=ExitStack)

    @property
    def targets(self) -> tuple[str, ...]:
        """Whom it struck."""
        return () if self.blow is None else self.blow.targets


@dataclass(slots=True)
class Striking:
    """`healing` is when the last of what was struck began to be healed; None while something is still to come."""

    stage: Stage
    deeds: Sequence[Deed]
    check: Callable[[], object]
    dealt: list[Dealt] = field(default_factory=list)
    healing: float | None = None
    _open: dict[tuple[int, int], Dealt] = field(default_factory=dict)

    def play(self) -> None:
        """All of the agenda. Raises what `check` raises, when all is healed."""
        steps, begin = agenda(self.deeds), self.stage.now
        with ExitStack() as everything:
            for number, step in enumerate(steps):
                self.stage.wait(begin + step.at, self.check)
                before = self.stage.now
                if step.what == "strike":
                    everything.callback(self._undo, step)
                    self._strike(step)
                else:
                    self._heal(step, last=number == len(steps) - 1)
                begin += self.stage.now - before  # what is in force, is so for as long as it was meant to be

    def _strike(self, step: Step) -> None:
        deed = self.deeds[step.deed]
        fault = fault_of(deed, step.turn)
        dealt = Dealt(deed, fault.title, self.stage.now)
        self.dealt.append(dealt)
        self.stage.tell(f"strikes: {fault.title}")
        try:
            ones = len(target_of(deed.who).resolve(self.stage.ground)) if isinstance(deed, spec.Cut) else 0
            dealt.blow = dealt.undo.enter_context(struck(fault, self.stage.ground))
        except PROBLEMS as problem:
            dealt.trouble = f"{type(problem).__name__}: {problem}"
            self.stage.tell(f"not struck: {dealt.trouble}")
            return
        dealt.gone = away(deed, dealt.blow.targets, ones)
        self._open[step.deed, step.turn] = dealt
        dealt.inside = is_within(
            self.stage.ground.profile, [name for each in self._open.values() for name in each.gone]
        )
        self.stage.tell(f"  {', '.join(dealt.blow.targets)}: {dealt.blow.effect.evidence}")

    def _heal(self, step: Step, *, last: bool = False) -> None:
        if last:
            self.healing = self.stage.now
        self._undo(step)

    def _undo(self, step: Step) -> None:
        """Once."""
        dealt = self._open.pop((step.deed, step.turn), None)
        if dealt is None:
            return
        try:
            dealt.undo.close()
        except PROBLEMS as problem:
            dealt.trouble = f"{type(problem).__name__}: {problem}"
        blow = dealt.blow
        if blow is not None and dealt.deed.lasts:
            self.stage.tell(f"  healed: {blow.health.evidence if blow.health else dealt.trouble}")


def told(dealt: Dealt, stage: Stage) -> Blow:
    """As a record has it."""
    blow, required = dealt.blow, dealt.deed.required
    needed = dealt.inside and dealt.deed.lasts > 0 if required is None else required
    if blow is None:
        return Blow(
            dealt.title, "nobody", dealt.began, None, None, None, dealt.trouble, "", dealt.inside, required=needed
        )
    health = "" if blow.health is None else blow.health.evidence
    return Blow(
        fault=dealt.title,
        target=_whom(dealt),
        inject=stage.seconds(blow.struck),
        effective=None if blow.effective is None else stage.seconds(blow.effective),
        heal=None if blow.healing is None else stage.seconds(blow.healing),
        healed=None if blow.well is None else stage.seconds(blow.well),
        evidence=blow.effect.evidence,
        healed_evidence=dealt.trouble or health,
        inside_budget=dealt.inside,
        required=needed,
    )


def _whom(dealt: Dealt) -> str:
    """Who it was, and which part they played."""
    names = ", ".join(dealt.targets)
    who = getattr(dealt.deed, "who", None)
    part = "" if who is None else target_of(who).title
    return names if not part or part == names else f"{names} ({part})"
