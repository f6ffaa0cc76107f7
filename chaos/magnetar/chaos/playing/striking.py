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
from magnetar.runtime.servers.errors import ServerError
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
    """`healing` is when the last of what was struck began to be healed; None while something is still to come.

    What stays is in force when `play` is over, until `heal`.
    """

    stage: Stage
    deeds: Sequence[Deed]
    check: Callable[[], object]
    dealt: list[Dealt] = field(default_factory=list)
    healing: float | None = None
    _open: dict[tuple[int, int], Dealt] = field(default_factory=dict)

    def play(self) -> None:
        """All of the agenda. Raises what `check` raises, when all is healed."""
        try:
            self._play(agenda(self.deeds))
        except BaseException:
            self.healing = None
            self.heal()
            raise

    def heal(self) -> None:
        """All that is in force, whatever struck last first."""
        for dealt in reversed(self.dealt):
            self._undo(dealt)
        self._open.clear()

    def _play(self, steps: Sequence[Step]) -> None:
        begin = self.stage.now
        for step in steps:
            self.stage.wait(begin + step.at, self.check)
            before = self.stage.now
            if step.what == "strike":
                self.healing = None
                self._strike(step)
            else:
                self.healing = before
                self._heal(step)
            begin += self.stage.now - before  # what is in force, is so for as long as it was meant to be
        self.healing = self.stage.now if self.healing is None else self.healing

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
        if not is_within(self.stage.ground.profile, [name for each in self._open.values() for name in each.gone]):
            for each in self._open.values():  # what was borne alone need not be borne together with this one
                each.inside = False
        self.stage.tell(f"  {', '.join(dealt.blow.targets)}: {dealt.blow.effect.evidence}")

    def _heal(self, step: Step) -> None:
        dealt = self._open.pop((step.deed, step.turn), None)
        if dealt is not None:
            self._undo(dealt)

    def _undo(self, dealt: Dealt) -> None:
        """Once."""
        if dealt.blow is None or dealt.blow.healing is not None:
            return
        try:
            dealt.undo.close()
        except PROBLEMS as problem:
            dealt.trouble = f"{type(problem).__name__}: {problem}"
        if dealt.deed.holds:
            health = dealt.blow.health
            words = dealt.trouble if health is None else health.evidence
            self.stage.tell(f"  {'healed' if health else 'not healed'}: {words}")


def told(dealt: Dealt, stage: Stage) -> Blow:
    """As a record has it."""
    blow, required = dealt.blow, dealt.deed.required
    needed = dealt.inside and dealt.deed.holds if required is None else required
    if blow is None:
        return Blow(
            *(dealt.title, "nobody", dealt.began, None, None, None, dealt.trouble, "", dealt.inside, needed),
            dealt.deed.stays,
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
        stays=dealt.deed.stays,
    )


def _whom(dealt: Dealt) -> str:
    """Who it was, and which part they played."""
    names = ", ".join(dealt.targets)
    who = getattr(dealt.deed, "who", None)
    part = "" if who is None else target_of(who).title
    return names if not part or part == names else f"{names} ({part})"
