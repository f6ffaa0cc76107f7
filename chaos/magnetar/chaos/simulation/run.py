"""One run: faults, healing, rest, everything delivered once more, rest again, and the checkers' verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from magnetar.chaos.checkers import CHECKERS, PUNCTUAL, REQUESTS
from magnetar.chaos.evidence import NOWHERE, cursors_of, gather, shard_of
from magnetar.chaos.history import History, Restless
from magnetar.chaos.simulation.agenda import START, Agenda, StoreClock
from magnetar.chaos.simulation.chance import Chance
from magnetar.chaos.simulation.fleet import Fleet
from magnetar.chaos.simulation.ground import Ground
from magnetar.chaos.simulation.nemesis import Nemesis
from magnetar.chaos.simulation.operator import Operator
from magnetar.chaos.simulation.process import Scene
from magnetar.chaos.simulation.schedule import WORKLOADS, Schedule
from magnetar.chaos.simulation.seal import sealed
from magnetar.chaos.simulation.sender import Sender
from magnetar.chaos.simulation.weather import Weather
from magnetar.chaos.verdict import Judgement, Verdict, judge
from magnetar.runtime.bus.memory import Broker, Faults, MemoryBus
from magnetar.runtime.instant import SECOND, Instant, micros, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from magnetar.chaos.evidence import Cursor, Evidence
    from magnetar.chaos.verdict import Checker
    from magnetar.runtime.store.port import ShardName, ShardRow, TimerRow

PATIENCE = 120.0
"""Seconds within which a healed system must have come to rest, each time, by the clock of its store."""

EXTENSION, EXTENSIONS = 0.25, 20
"""In seconds, and how often: by so much the phase of faults is longer while nothing was committed in it."""

UNPUNCTUAL = frozenset({"slow sends", "dropped partition", "clock jump"})
"""Faults that keep a message on its way after it was published, or part the clocks that dated it."""

_BLINK: Instant = micros(0.2)
"""Looking whether all is at rest takes a few queries: not more often than this."""

_FAR: Instant = START + 10**6 * SECOND


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run, over."""

    schedule: Schedule
    history: History = field(repr=False)
    evidence: Evidence = field(repr=False)
    judgement: Judgement

    @property
    def verdict(self) -> Verdict:
        """Valid, invalid or unknown."""
        return self.judgement.verdict

    @property
    def applied(self) -> int:
        """How many messages were applied."""
        return sum(map(len, self.evidence.timelines.values()))


def simulate(schedule: Schedule, *, watching: bool = False, ground: Ground | None = None) -> Outcome:
    """Run a schedule in virtual time, in this thread. The same schedule gives the same outcome, to the last byte.

    `watching`: slowly, and whatever looks at the real world is found out (see `seal`).
    `ground`: what an earlier run stood on, and a later one will; it makes no difference but of speed.
    """
    run = Run(schedule, ground)
    try:
        return run.outcome(watching=watching)
    finally:
        run.close()


def checkers_of(schedule: Schedule) -> tuple[Checker, ...]:
    """The checkers that have a say: not every schedule lets one judge whether timers were punctual."""
    kinds = {fault.kind for fault in schedule.faults}
    punctual = () if schedule.options.skew or kinds & UNPUNCTUAL else (PUNCTUAL,)
    return (*CHECKERS, *punctual, *WORKLOADS[schedule.workload].checkers)


class Run:
    """Everything of one run, put together. Who wants more to happen than a schedule says, plans it before `outcome`."""

    def __init__(self, schedule: Schedule, ground: Ground | None = None) -> None:
        options, chance = schedule.options, Chance(schedule.seed)
        self._schedule = schedule
        self.agenda = Agenda()
        self.history = History(self.agenda.clock)
        wiring = WORKLOADS[schedule.workload].wiring(options)
        broker = Broker(self.agenda.clock, options.receiver_queue)
        for topic in wiring.provisioned():
            broker.provision(topic.name, topic.partitions or 1, topic.subscriptions)
        clock = StoreClock(self.agenda, micros(options.skew))
        self._lent = ground is not None
        self._ground = database = ground or Ground()
        database.begin(clock)
        weather = Weather(self.history, self.agenda.clock, database)
        self.scene = Scene(wiring, broker, weather, self.agenda, clock, options)
        self._probe = database.open()
        self.nemesis = Nemesis(self.scene, self.agenda, chance)
        self.fleet = self.nemesis.fleet = Fleet(self.scene, self.agenda, chance, self.nemesis, self._look)
        client = MemoryBus(broker, "outside", self.agenda.clock)
        self._sender = self.nemesis.sender = Sender(client, wiring, self.agenda, self.history, chance)
        self._operator = self.nemesis.operator = Operator(self.scene, self.agenda, chance)
        self._rested: Callable[[], None] | None = None
        self._acknowledged = False
        self._look_at: Instant = 0
        self._restless_since = -1
        self._deadline: Instant = 0

    def play(self) -> None:
        """Safety phase, then liveness phase with part of the world left dead where the options say so."""
        self.history.enter("faults")
        self._sender.plan(self._schedule.letters)
        self.nemesis.plan(self._schedule.faults)
        self._operator.plan(self._schedule.acts)
        self.agenda.after(self._schedule.options.duration, lambda: self._heal(EXTENSIONS))
        for _ in range(self._schedule.options.workers):
            self.fleet.launch()
        self.fleet.run(None)
        self._meet_late_timers()

    def outcome(self, *, watching: bool = False) -> Outcome:
        """Play it, and let the checkers look."""
        with sealed(watching=watching):
            self.play()
        scene, schedule = self.scene, self._schedule
        evidence = gather(scene.wiring, scene.broker, scene.views, scene.store_clock(), self.history.requests)
        asked = (REQUESTS,) if self.history.requests else ()
        judgement = judge(self.history, evidence, (*checkers_of(schedule), *asked))
        return Outcome(schedule, self.history, evidence, judgement)

    def close(self) -> None:
        """Nobody is connected any more; the data goes, unless it was given a ground."""
        for process in self.fleet.alive:
            process.end()
        self._probe.close()
        if not self._lent:
            self._ground.close()

    # from one phase to the next

    def _heal(self, extensions: int) -> None:
        """No more faults, as soon as something has succeeded in spite of them.

        Who is not wanted any more is killed, but for those that are left behind for good.
        """
        if not self.history.commits and extensions:
            self.agenda.after(EXTENSION, lambda: self._heal(extensions - 1))
            return
        self.history.tell("everything is healed")
        self.history.enter("healed")
        self.fleet.calm_down()
        self.nemesis.calm()
        self._operator.tidy_up()
        for process in list(self.fleet.alive):
            if process.left_behind:
                self.history.meet("a dead worker was left behind for good")
            elif process not in self.fleet.wanted:
                self.fleet.kill(process)
        self._wait_for_rest(self._move_every_partition)

    def _wait_for_rest(self, then: Callable[[], None]) -> None:
        self._rested = then
        patience = PATIENCE + seconds(self.scene.store_clock.behind)
        self._deadline = self.agenda.now + micros(patience)
        self.agenda.after(patience, self._look)  # somebody looks then, whoever is dead

    def _look(self) -> None:
        """Nobody has anything to do at the moment: is everybody at rest?"""
        if self._rested is None or self.agenda.now < min(self._look_at, self._deadline):
            return
        self._look_at = self.agenda.now + _BLINK
        if self._is_at_rest():
            then, self._rested = self._rested, None
            then()
        elif self.agenda.now >= self._deadline:
            self.history.append(Restless(self.agenda.now, f"{PATIENCE:.0f} s after it was healed it had not"))
            self._end()

    def _move_every_partition(self) -> None:
        """What was acknowledged in vain is delivered again, and must change nothing."""
        faults = Faults(self.scene.broker)
        for name, topic in self.scene.wiring.topics.items():
            for partition in range(topic.partitions or 1):
                faults.unload(name, partition)
        self.fleet.poke()
        self._acknowledged = True
        self._wait_for_rest(self._end)

    def _end(self) -> None:
        self.fleet.over = True

    def _is_at_rest(self) -> bool:
        """Whether nobody sends, all is applied (at the end: acknowledged), the outbox is empty, no timer is armed."""
        writes = self.scene.weather.writes
        if writes == self._restless_since or self._sender.busy or self.scene.provider.pending:
            return False
        cursors = cursors_of(self.scene.wiring, self.scene.broker)
        if self._acknowledged and any(cursor.backlog for cursor in cursors):
            return False
        if self._operator.busy or self._has_work(cursors):
            self._restless_since = writes  # only another write can end that
            return False
        return True

    def _has_work(self, cursors: Iterable[Cursor]) -> bool:
        """What the store says: messages to apply, rows to send, or plans."""
        rows = {row.shard: row for row in self.scene.views.shards()}
        applied = self._acknowledged or all(self._is_applied(cursor, rows) for cursor in cursors)
        return not applied or any(self._probe.outbox(shard, 0, 1) or self._has_plans(shard) for shard in rows)

    def _has_plans(self, shard: ShardName) -> bool:
        """Timers that may fire, effects, and parked keys that go on by themselves; not those that wait for a person."""
        if self.scene.wiring.actors[shard.rpartition("/")[0]].effects and self._probe.effects(shard):
            return True
        return any(key.due is not None for key in self._probe.parked_keys(shard)) or any(
            not self._is_held(timer) for timer in self._probe.timers(shard, _FAR)
        )

    def _is_held(self, timer: TimerRow) -> bool:
        key = self.scene.views.parked_key(timer.actor, timer.key)
        return key is not None and key.due is None

    def _is_applied(self, cursor: Cursor, rows: Mapping[ShardName, ShardRow]) -> bool:
        """An acknowledgement may be lost for good; the position in the store is not."""
        log = self.scene.broker.partition(*cursor.place).log.deliveries
        row = rows[shard_of(cursor, self.scene.wiring)]
        return not log or row.positions.get(str(cursor.place), NOWHERE) >= log[-1].position

    def _meet_late_timers(self) -> None:
        """Timers that one owner armed and a later one fired."""
        armed: dict[bytes, int] = {}
        for commit in self.history.commits:
            armed.update(dict.fromkeys(commit.armed, commit.epoch))
            later = sum(armed.get(timer, commit.epoch) < commit.epoch for timer in commit.fired)
            self.history.meet("a timer fired after a takeover", later)
