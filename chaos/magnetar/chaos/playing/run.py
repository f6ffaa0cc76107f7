"""One scenario, from its first customer to its record."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.crew import CrewFailed
from magnetar.chaos.cluster.errors import ChaosError
from magnetar.chaos.faults.rot import wrong_entries
from magnetar.chaos.measuring.figures import FEW, WINDOW
from magnetar.chaos.playing.agenda import length
from magnetar.chaos.playing.recovering import has_recovered
from magnetar.chaos.playing.resting import at_rest, calm
from magnetar.chaos.playing.striking import Striking
from magnetar.chaos.playing.watching import METRICS, BusWatch, StoreWatch
from magnetar.chaos.record.shape import Phase
from magnetar.chaos.takeover import starving
from magnetar.chaos.takeover.reading import gather
from magnetar.chaos.workloads.plan import letters
from magnetar.chaos.workloads.sending import CustomersGone, Sending
from magnetar.runtime.bus.port import BusError
from magnetar.runtime.servers.errors import ServerError
from magnetar.runtime.store.port import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.playing.stage import Stage
    from magnetar.chaos.record.shape import PhaseName
    from magnetar.chaos.scenarios.spec import Scenario

BROKEN = (CustomersGone, CrewFailed, ChaosError, ServerError, BusError, StoreError)
"""What ends a run before its time: its record says so, and the verdict is unknown at best."""
_PROOFS = 60.0
"""Seconds that a fault may take beside what it is meant to: until it is proven, and until it is healed."""
_SLACK = 1.0
"""Seconds: a window that is measured begins when all is well, and not with a look."""
_WARM = 2.0
"""Seconds of load at most before a baseline on a cluster that has just been played on: it is warm."""
_SETTLED = 2.0
"""Seconds without a shard that changes hands, as it is looked at each second."""
_LATE = 2.0
"""Seconds; what was to be sent before, and is not confirmed, waits for a broker."""


@dataclass(kw_only=True)
class Played:
    """What a run left behind in memory. `broken`: why it ended early; `starved`: the machine had no time."""

    scenario: Scenario
    seed: int
    sending: Sending
    striking: Striking
    store: StoreWatch
    bus: BusWatch
    before: dict[str, int]
    phases: list[Phase] = field(default_factory=list)
    evidence: Evidence | None = None
    broken: list[str] = field(default_factory=list)
    starved: bool = False
    counted: dict[str, int] = field(default_factory=dict)


def play(stage: Stage, scenario: Scenario, seed: int) -> Played:
    """All phases but the last word. What is in force is healed in any case; raises only `KeyboardInterrupt`."""
    seconds = _warm_up(stage, scenario) + scenario.phases.baseline
    longest = seconds + length(scenario.faults) + scenario.phases.recover + _PROOFS * (1 + len(scenario.faults))
    sent = letters(scenario.load, longest, _name(stage, scenario), seed, (seconds, seconds + length(scenario.faults)))
    sending = Sending(stage.ground, sent, stage.crowd.provider.log, stage.told, seed)
    striking = Striking(stage, scenario.faults, sending.check)
    found = Played(
        scenario=scenario,
        seed=seed,
        sending=sending,
        striking=striking,
        store=StoreWatch(stage),
        bus=BusWatch(stage),
        before={name: stage.crowd.crew.total(metric) for name, metric in METRICS.items()},
    )
    with ExitStack() as opened:
        looks = opened.enter_context(starving.watched(stage.folder))
        for watch in (found.store, found.bus):
            watch.start()
            opened.callback(watch.stop)
        opened.callback(sending.dismiss)
        opened.callback(striking.heal)  # first of all, however it ends
        try:
            _Acts(stage, found).play(looks)
        except BROKEN as problem:
            found.broken.append(f"{type(problem).__name__}: {problem}")
            stage.tell(f"broken off: {problem}")
    for watch in (found.store, found.bus):
        if watch.failure is not None:
            found.broken.append(f"the {watch.name} ended early: {type(watch.failure).__name__}: {watch.failure}")
    return found


def _name(stage: Stage, scenario: Scenario) -> str:
    """Of a run's keys: a scenario may be played twice on one cluster."""
    return f"{scenario.id.lower()}-{stage.plays}"


def _warm_up(stage: Stage, scenario: Scenario) -> float:
    return scenario.phases.warm_up if stage.plays <= 1 else min(_WARM, scenario.phases.warm_up)


@dataclass
class _Acts:
    """The phases, one after the other."""

    stage: Stage
    found: Played

    def play(self, looks: Path) -> None:
        """All of them."""
        stage, phases, sending = self.stage, self.found.scenario.phases, self.found.sending
        self._enter("setup")
        stage.await_health()
        self._enter("warm-up")
        sending.start()
        stage.wait(stage.now + _warm_up(stage, self.found.scenario), sending.check)
        self._enter("baseline")
        stage.wait(stage.now + phases.baseline, sending.check)
        self._enter("fault")
        try:
            self.found.striking.play()
        finally:
            self._enter("heal", self.found.striking.healing)
        self._enter("recover")
        self._recover()
        self._enter("drain")
        self._drain()
        self._wake()
        begin, end = self._phase("baseline").begin, self._phase("recover").end
        self._enter("reading")
        self._read()
        self._leave(stage.now)
        hunger = starving.hunger(starving.read(looks), self._instant(begin), self._instant(end))
        self.found.starved = hunger is not None and hunger.is_starving
        stage.tell(f"the machine: {hunger}")

    def _recover(self) -> None:
        """Load goes on until no more waits than a few, at once confirmed, for so long that recovery is seen.

        A window of it has a hundred operations or two, and two that are slow hide it: a load that ended then would
        show nothing.
        """
        longest, check = self.found.scenario.phases.recover, self.found.sending.check
        calm(self.stage, self._is_calm, WINDOW + _SLACK, longest, check, partial(has_recovered, self.stage, self.found))

    def _is_calm(self) -> bool:
        """By what was seen in the last seconds: who does not answer is not calm, nor is a shard that changes hands."""
        if self.found.store.hands.moved > self.stage.now - _SETTLED:
            return False
        unacknowledged, unsent = self.stage.waiting, self.found.store.least("outbox")
        if unacknowledged is None or unsent is None or self.found.sending.overdue(_LATE) > 0:
            return False
        return unacknowledged + unsent <= max(FEW, self._usual())

    def _usual(self) -> float:
        """The most that waited in the baseline."""
        phase, found = self._phase("baseline"), self.found
        return found.bus.most("backlog/all", phase.begin, phase.end) + found.store.most(
            "outbox", phase.begin, phase.end
        )

    def _drain(self) -> None:
        """Proven, not slept."""
        stage, sending, within = self.stage, self.found.sending, self.found.scenario.phases.drain
        sending.end()
        left = at_rest(stage, within, sending.check)
        sending.end_calls()
        left = left or at_rest(stage, within, sending.check)
        if left:
            self.found.broken.append(f"not at rest within {within:g} s: {left}")

    def _wake(self) -> None:
        """What stayed in force is healed: who comes back when all is over must find nothing to do."""
        stage, striking, within = self.stage, self.found.striking, self.found.scenario.phases.drain
        if not any(deed.stays for deed in striking.deeds):
            return
        striking.heal()
        stage.await_health()
        if left := at_rest(stage, within, self.found.sending.check):
            self.found.broken.append(f"who came back found something to do for more than {within:g} s: {left}")

    def _read(self) -> None:
        """By fresh readers, while nobody has anything to do."""
        for watch in (self.found.store, self.found.bus):
            watch.stop()
        crew = self.stage.crowd.crew
        crew.look()
        self.found.counted = {name: crew.total(metric) - self.found.before[name] for name, metric in METRICS.items()}
        self.found.counted["wrong entries"] = wrong_entries(self.stage.ground)
        self.found.evidence = gather(self.stage.ground)

    def _enter(self, name: PhaseName, at: float | None = None) -> None:
        now = self.stage.now if at is None else at
        self._leave(now)
        self.found.phases.append(Phase(name, now, now))
        self.stage.tell(f"[{name}]")

    def _leave(self, now: float) -> None:
        if self.found.phases:
            last = self.found.phases.pop()
            self.found.phases.append(Phase(last.name, last.begin, max(last.begin, now)))

    def _phase(self, name: PhaseName) -> Phase:
        return next(phase for phase in self.found.phases if phase.name == name)

    def _instant(self, seconds: float) -> int:
        return self.stage.began + round(seconds * 1_000_000)
