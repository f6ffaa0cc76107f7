"""One run: set up, faults, healing, rest, and the checkers' verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from magnetar.chaos.checkers import check
from magnetar.chaos.checkers.delivery import each_disposed
from magnetar.chaos.checkers.order import timers_let_the_punctual_pass
from magnetar.chaos.evidence import cursors_of, gather
from magnetar.chaos.history import History, Violation
from magnetar.chaos.simulation.agenda import START, Agenda
from magnetar.chaos.simulation.chance import Chance
from magnetar.chaos.simulation.fleet import Fleet, Restless
from magnetar.chaos.simulation.nemesis import Nemesis, Planned, planned
from magnetar.chaos.simulation.options import Options, drawn
from magnetar.chaos.simulation.process import Scene
from magnetar.chaos.simulation.sender import Sender
from magnetar.chaos.simulation.shopping import Shopping
from magnetar.chaos.simulation.store import Weather
from magnetar.chaos.simulation.strikes import STRIKES
from magnetar.chaos.simulation.trade import Trade
from magnetar.runtime.bus.memory import Broker, Faults, MemoryBus
from magnetar.runtime.instant import SECOND, Instant, micros
from magnetar.runtime.store.sqlite import SqliteMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.simulation.letters import Workload

PATIENCE = 120.0
"""Seconds of virtual time within which a healed system must have come to rest."""

UNPUNCTUAL = frozenset({"slow sends", "dropped partition"})
"""Faults that keep a message on its way after it was published."""

SHOPPING = 0.25
"""How many of the seeds run the shop."""

_FAR: Instant = START + 10**6 * SECOND


class Verdict(Enum):
    """What a run showed. *Unknown*: nothing was applied, or no fault took effect, so it showed nothing."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run, over. `evidence` is None when it did not come so far."""

    seed: int
    options: Options
    faults: Sequence[Planned]
    history: History
    violations: list[Violation]
    evidence: Evidence | None = field(repr=False)

    @property
    def applied(self) -> int:
        """How many messages were applied."""
        return 0 if self.evidence is None else sum(map(len, self.evidence.timelines.values()))

    @property
    def verdict(self) -> Verdict:
        """A violation is a violation, however little was shown."""
        if self.violations:
            return Verdict.INVALID
        return Verdict.VALID if self.applied and self.history.effective else Verdict.UNKNOWN


def simulate(seed: int, faults: Sequence[Planned] | None = None, workload: Workload | None = None) -> Outcome:
    """Run the seed, with its own faults or with these."""
    chance = Chance(seed)
    workload = workload or usual(chance)
    options = drawn(chance, tuple(STRIKES))
    chosen = planned(chance, options) if faults is None else list(faults)
    run = Run(chance, options, workload)
    violations = run.play(chosen)
    return Outcome(seed, options, chosen, run.history, violations, run.evidence)


def usual(chance: Chance) -> Workload:
    """What a seed runs: mostly the warehouse, made to show the engine's faults; sometimes the shop itself."""
    return Shopping() if chance.stream("workload").random() < SHOPPING else Trade()


class Run:
    """Everything of one run, put together."""

    def __init__(self, chance: Chance, options: Options, workload: Workload) -> None:
        self.history = History()
        self.evidence: Evidence | None = None
        self._options = options
        self._workload = workload
        self._agenda = Agenda()
        wiring = workload.wiring(options)
        broker = Broker(self._agenda.clock, options.receiver_queue)
        for topic in wiring.topics.values():
            broker.provision(topic.name, topic.partitions or 1, topic.subscriptions)
        skew = micros(options.skew)
        self._database = SqliteMemory(lambda: self._agenda.now + skew)
        self._views = self._database.views()
        weather = Weather(self.history, self._agenda.clock)
        self._scene = Scene(wiring, broker, self._database, weather, self._agenda.clock, options.settings)
        self._nemesis = Nemesis(self._scene, self._agenda, chance)
        self._fleet = self._nemesis.fleet = Fleet(self._scene, self._agenda, chance, options.cost, self._nemesis)
        client = MemoryBus(broker, "outside", self._agenda.clock)
        self._sender = self._nemesis.sender = Sender(client, wiring, self._agenda, self.history, chance)
        self._sender.plan(workload.letters(chance, options))

    def play(self, faults: list[Planned]) -> list[Violation]:
        """Safety phase, liveness phase, checks."""
        self._nemesis.plan(faults)
        try:
            self._fleet.launch()
            self._fleet.run(self._agenda.now + micros(self._options.duration))
            self._heal()
            self._rest(self._applied)
            self._move_every_partition()
            self._rest(self._acknowledged)
        except Restless as error:
            self.history.blame("what is healed comes to rest", "the run", str(error))
        violations = self._checked()
        self._views.close()
        self._database.close()
        return violations

    def _heal(self) -> None:
        """No more faults; one worker, started by whoever looks after it, and nothing in its way."""
        self.history.tell(self._agenda.now, "everything is healed")
        self._fleet.calm = True
        self._nemesis.calm()
        for process in list(self._fleet.alive):
            if process is not self._fleet.current:
                self._fleet.kill(process)

    def _rest(self, rested: Callable[[], bool]) -> None:
        until = self._agenda.now + micros(PATIENCE)
        self._fleet.run(until, rested)
        if self._agenda.now >= until:
            self.history.blame("what is healed comes to rest", "the run", f"after {PATIENCE:.0f} s it had not")

    def _applied(self) -> bool:
        """Whether everything that was published has its disposition, with nothing pending."""
        return self._emptied() and not any(each_disposed(self.history, self._gathered()))

    def _acknowledged(self) -> bool:
        """Whether besides that every subscription is acknowledged to its end."""
        cursors = cursors_of(self._scene.wiring, self._scene.broker)
        return not any(cursor.backlog for cursor in cursors) and self._emptied()

    def _emptied(self) -> bool:
        """Whether nobody sends any more, the outbox is empty, and no timer is armed."""
        if self._sender.busy:
            return False
        store = self._database.open()
        try:
            return not any(
                store.outbox(shard.shard, 0, 1) or store.timers(shard.shard, _FAR) for shard in self._views.shards()
            )
        finally:
            store.close()

    def _move_every_partition(self) -> None:
        """What was acknowledged in vain is delivered again, and must change nothing."""
        faults = Faults(self._scene.broker)
        for name, topic in self._scene.wiring.topics.items():
            for partition in range(topic.partitions or 1):
                faults.unload(name, partition)
        self._fleet.poke()

    def _gathered(self) -> Evidence:
        return gather(self._scene.wiring, self._scene.broker, self._views, self._agenda.now)

    def _checked(self) -> list[Violation]:
        self.evidence = self._gathered()
        self._meet_late_timers()
        found = [*check(self.history, self.evidence), *self._workload.violations(self.evidence)]
        if self._options.skew == 0 and not self._options.kinds & UNPUNCTUAL:
            found.extend(timers_let_the_punctual_pass(self.evidence))
        return found

    def _meet_late_timers(self) -> None:
        """Timers that one owner armed and a later one fired."""
        armed: dict[bytes, int] = {}
        for commit in self.history.commits:
            armed.update(dict.fromkeys(commit.armed, commit.epoch))
            later = sum(armed.get(timer, commit.epoch) < commit.epoch for timer in commit.fired)
            self.history.meet("a timer fired after a takeover", later)
