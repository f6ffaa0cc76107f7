"""One run: faults, healing, rest, everything delivered once more, rest again, and the checkers' verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from magnetar.chaos.checkers import CHECKERS, PUNCTUAL
from magnetar.chaos.evidence import NOWHERE, cursors_of, gather, shard_of
from magnetar.chaos.history import History, Restless
from magnetar.chaos.simulation.agenda import START, Agenda, StoreClock
from magnetar.chaos.simulation.chance import Chance
from magnetar.chaos.simulation.fleet import Fleet
from magnetar.chaos.simulation.nemesis import Nemesis
from magnetar.chaos.simulation.process import Scene
from magnetar.chaos.simulation.schedule import WORKLOADS, Schedule
from magnetar.chaos.simulation.seal import sealed
from magnetar.chaos.simulation.sender import Sender
from magnetar.chaos.simulation.store import Weather
from magnetar.chaos.verdict import Judgement, Verdict, judge
from magnetar.runtime.bus.memory import Broker, Faults, MemoryBus
from magnetar.runtime.instant import SECOND, Instant, micros
from magnetar.runtime.store.sqlite import SqliteMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from magnetar.chaos.evidence import Cursor, Evidence
    from magnetar.chaos.verdict import Checker
    from magnetar.runtime.store.port import ShardName, ShardRow

PATIENCE = 120.0
"""Seconds of virtual time within which a healed system must have come to rest, each time."""

EXTENSION, EXTENSIONS = 0.25, 8
"""In seconds, and how often: by so much the phase of faults is longer while nothing was committed in it."""

UNPUNCTUAL = frozenset({"slow sends", "dropped partition", "clock jump"})
"""Faults that keep a message on its way after it was published, or part the clocks that dated it."""

_BLINK: Instant = micros(0.1)
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


def simulate(schedule: Schedule, *, watching: bool = False) -> Outcome:
    """Run a schedule in virtual time, in this thread. The same schedule gives the same outcome, to the last byte.

    `watching`: slowly, and whatever looks at the real world is found out (see `seal`).
    """
    run = Run(schedule)
    try:
        with sealed(watching=watching):
            run.play()
        evidence = run.evidence()
        return Outcome(schedule, run.history, evidence, judge(run.history, evidence, checkers_of(schedule)))
    finally:
        run.close()


def checkers_of(schedule: Schedule) -> tuple[Checker, ...]:
    """The checkers that have a say: not every schedule lets one judge whether timers were punctual."""
    kinds = {fault.kind for fault in schedule.faults}
    punctual = () if schedule.options.skew or kinds & UNPUNCTUAL else (PUNCTUAL,)
    return (*CHECKERS, *punctual, *WORKLOADS[schedule.workload].checkers)


class Run:
    """Everything of one run, put together."""

    def __init__(self, schedule: Schedule) -> None:
        options, chance = schedule.options, Chance(schedule.seed)
        self._schedule = schedule
        self._agenda = Agenda()
        self.history = History(self._agenda.clock)
        wiring = WORKLOADS[schedule.workload].wiring(options)
        broker = Broker(self._agenda.clock, options.receiver_queue)
        for topic in wiring.topics.values():
            broker.provision(topic.name, topic.partitions or 1, topic.subscriptions)
        clock = StoreClock(self._agenda, micros(options.skew))
        database = SqliteMemory(clock)
        weather = Weather(self.history, self._agenda.clock, database)
        self._scene = Scene(wiring, broker, weather, self._agenda, clock, options)
        self._probe = database.open()
        self._nemesis = Nemesis(self._scene, self._agenda, chance)
        self._fleet = self._nemesis.fleet = Fleet(self._scene, self._agenda, chance, self._nemesis, self._look)
        client = MemoryBus(broker, "outside", self._agenda.clock)
        self._sender = self._nemesis.sender = Sender(client, wiring, self._agenda, self.history, chance)
        self._rested: Callable[[], None] | None = None
        self._acknowledged = False
        self._look_at: Instant = 0
        self._deadline: Instant = 0

    def play(self) -> None:
        """Safety phase, then liveness phase with part of the world left dead where the options say so."""
        self.history.enter("faults")
        self._sender.plan(self._schedule.letters)
        self._nemesis.plan(self._schedule.faults)
        self._agenda.after(self._schedule.options.duration, lambda: self._heal(EXTENSIONS))
        for _ in range(self._schedule.options.workers):
            self._fleet.launch()
        self._fleet.run(None)
        self._meet_late_timers()

    def evidence(self) -> Evidence:
        """What is there now."""
        return gather(self._scene.wiring, self._scene.broker, self._scene.views, self._scene.store_clock())

    def close(self) -> None:
        """Let the data go."""
        self._probe.close()
        self._scene.close()

    # from one phase to the next

    def _heal(self, extensions: int) -> None:
        """No more faults, as soon as something has succeeded in spite of them.

        Who is not wanted any more is killed, but for those that are left behind for good.
        """
        if not self.history.commits and extensions:
            self._agenda.after(EXTENSION, lambda: self._heal(extensions - 1))
            return
        self.history.tell("everything is healed")
        self.history.enter("healed")
        self._fleet.calm = True
        self._nemesis.calm()
        for process in list(self._fleet.alive):
            if process.left_behind:
                self.history.meet("a dead worker was left behind for good")
            elif process not in self._fleet.wanted:
                self._fleet.kill(process)
        self._wait_for_rest(self._move_every_partition)

    def _wait_for_rest(self, then: Callable[[], None]) -> None:
        self._rested = then
        self._deadline = self._agenda.now + micros(PATIENCE)
        self._agenda.after(PATIENCE, self._look)  # somebody looks then, whoever is dead

    def _look(self) -> None:
        """Nobody has anything to do at the moment: is everybody at rest?"""
        if self._rested is None or self._agenda.now < min(self._look_at, self._deadline):
            return
        self._look_at = self._agenda.now + _BLINK
        if self._is_at_rest():
            then, self._rested = self._rested, None
            then()
        elif self._agenda.now >= self._deadline:
            self.history.append(Restless(self._agenda.now, f"{PATIENCE:.0f} s after it was healed it had not"))
            self._end()

    def _move_every_partition(self) -> None:
        """What was acknowledged in vain is delivered again, and must change nothing."""
        faults = Faults(self._scene.broker)
        for name, topic in self._scene.wiring.topics.items():
            for partition in range(topic.partitions or 1):
                faults.unload(name, partition)
        self._fleet.poke()
        self._acknowledged = True
        self._wait_for_rest(self._end)

    def _end(self) -> None:
        self._fleet.over = True

    def _is_at_rest(self) -> bool:
        """Whether nobody sends, all is applied (at the end: acknowledged), the outbox is empty, no timer is armed."""
        if self._sender.busy or not self._is_done():
            return False
        shards = [row.shard for row in self._scene.views.shards()]
        return not any(self._probe.outbox(shard, 0, 1) or self._probe.timers(shard, _FAR) for shard in shards)

    def _is_done(self) -> bool:
        cursors = cursors_of(self._scene.wiring, self._scene.broker)
        if self._acknowledged:
            return not any(cursor.backlog for cursor in cursors)
        rows = {row.shard: row for row in self._scene.views.shards()}
        return all(self._is_applied(cursor, rows) for cursor in cursors)

    def _is_applied(self, cursor: Cursor, rows: Mapping[ShardName, ShardRow]) -> bool:
        """An acknowledgement may be lost for good; the position in the store is not."""
        log = self._scene.broker.partition(*cursor.place).log.deliveries
        row = rows[shard_of(cursor, self._scene.wiring)]
        return not log or row.positions.get(str(cursor.place), NOWHERE) >= log[-1].position

    def _meet_late_timers(self) -> None:
        """Timers that one owner armed and a later one fired."""
        armed: dict[bytes, int] = {}
        for commit in self.history.commits:
            armed.update(dict.fromkeys(commit.armed, commit.epoch))
            later = sum(armed.get(timer, commit.epoch) < commit.epoch for timer in commit.fired)
            self.history.meet("a timer fired after a takeover", later)
