"""What is done to a run: planned faults, each with draws of its own, so that leaving one out changes no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from magnetar.chaos.evidence import acknowledgements, cursors_of
from magnetar.chaos.simulation.deaths import Crash
from magnetar.chaos.simulation.situations import TELLING, crashed_at
from magnetar.chaos.simulation.strikes import IN_WAIT, STRIKES, Ammunition
from magnetar.runtime.bus.memory import Faults
from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.worker.points import all_points

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable

    from magnetar.chaos.simulation.agenda import Agenda
    from magnetar.chaos.simulation.chance import Chance
    from magnetar.chaos.simulation.fleet import Fleet
    from magnetar.chaos.simulation.operator import Operator
    from magnetar.chaos.simulation.process import Process, Scene
    from magnetar.chaos.simulation.schedule import Planned
    from magnetar.chaos.simulation.sender import Sender

NESTED = 2
"""At most so many processes are frozen at once."""

ANY_POINT_AFTER = 1.5
"""An arming for a point that is not reached within so many seconds takes the next point of any name."""


class Armed(Protocol):
    """Somebody who waits for a fault point."""

    @property
    def action(self) -> Callable[[Process], None]:
        """What happens there, in the process's own step. Raises what the process is to meet, or returns."""
        ...

    def springs(self, point: str, now: Instant) -> bool:
        """Whether this is it; asked at every fault point until then."""
        ...


@dataclass(slots=True)
class Arming:
    """Wait for the `count`-th fault point, or for one of this name; then crash or freeze there."""

    action: Callable[[Process], None]
    point: str | None
    count: int
    patience: Instant

    def springs(self, point: str, now: Instant) -> bool:
        """Whether this is it."""
        if self.point is not None and now < self.patience:
            return point == self.point
        self.count -= 1
        return self.count <= 0


class Nemesis:
    """Strikes. It is also the trap that every process meets at its fault points."""

    def __init__(self, scene: Scene, agenda: Agenda, chance: Chance) -> None:
        self.scene = scene
        self.agenda = agenda
        self.fleet: Fleet
        self.sender: Sender
        self.operator: Operator
        self.faults = Faults(scene.broker)
        self.ammunition = Ammunition(scene.broker, scene.history)
        self._chance = chance
        self.armed: list[Armed] = []
        self._points = all_points()

    def plan(self, faults: Iterable[Planned]) -> None:
        """Put the faults on the agenda."""
        for fault in faults:
            put = self.agenda.aside if fault.kind in IN_WAIT else self.agenda.after
            put(fault.at, self._striking(fault))

    def calm(self) -> None:
        """No more faults: everything is healed that can be healed from outside, but for what is left behind."""
        self.armed.clear()
        self.ammunition.drop()
        self.faults.release_openings()
        self.faults.release_cursors()
        for topic in self.scene.broker.topics():
            for partition in range(len(self.scene.broker.topic(topic).partitions)):
                self.faults.release_sends(topic, partition)
                self.faults.reconnect(topic, partition)
        self.scene.weather.clear()
        healthy = [process for process in self.fleet.alive if not process.left_behind]
        for bus in (self.sender.bus, *(process.bus for process in healthy)):
            if bus.offline:
                bus.heal()
        for process in healthy:
            process.store.cut = False

    def _striking(self, fault: Planned) -> Callable[[], None]:
        def strike() -> None:
            if not self.fleet.calm:
                self.ammunition.count()
                STRIKES[fault.kind](self, self._chance.stream("fault", *fault[1:]))

        return strike

    # at fault points

    def spring(self, process: Process, point: str) -> None:
        """See `Trap`."""
        for arming in self.armed:
            if arming.springs(point, self.agenda.now):
                self.armed.remove(arming)
                arming.action(process)
                return

    def crash(self, draw: random.Random) -> None:
        """Kill a process at a fault point; and perhaps the next one while it recovers."""

        def action(process: Process) -> None:
            self.scene.history.took_effect("crash")
            self.scene.history.tell(f"{process.name} crashes at {process.point}", harm=True)
            for situation in crashed_at(process.point):
                self.scene.history.meet(situation)
            self.look_at_acknowledgements()
            if draw.random() < 0.3:  # noqa: PLR2004 - how often a crash is followed by another one
                self.armed.append(Arming(action, None, draw.randint(1, 60), 0))
            raise Crash

        self._arm(action, draw)

    def freeze(self, draw: random.Random) -> None:
        """Freeze a process at a fault point; perhaps another one takes over, perhaps the old one never wakes up."""
        duration = draw.choice((0.1, 0.4, 1.0, 3.0))
        takeover, killed, retires = draw.random() < 0.75, draw.random() < 0.2, draw.uniform(0.0, 1.5)  # noqa: PLR2004
        delay = draw.uniform(0.0, duration)
        for_good = draw.random() < 0.15  # noqa: PLR2004 - few

        def action(process: Process) -> None:
            if self.fleet.depth >= NESTED:
                return
            self.scene.history.took_effect("freeze")
            self.look_at_acknowledgements()
            # Whoever is frozen beneath could not wake up before, so nobody may be.
            if for_good and not self.fleet.depth and self.leave_behind(process, delay):
                self.fleet.freeze(process, None)
            if takeover:
                self.fleet.replace(process, delay)
                self._retire(process, duration + retires)
            if killed:
                self._retire(process, duration * 0.9)
            self.fleet.freeze(process, duration)

        self._arm(action, draw)

    def leave_behind(self, process: Process, delay: float) -> bool:
        """It will never be healed, and another one takes its place; False where the run leaves nobody behind."""
        if not self.scene.options.leftovers or any(each.left_behind for each in self.fleet.alive):
            return False
        process.left_behind = True
        self.fleet.replace(process, delay)
        return True

    def _retire(self, process: Process, delay: float) -> None:
        self.agenda.after(delay, lambda: self.fleet.kill(process))

    def _arm(self, action: Callable[[Process], None], draw: random.Random) -> None:
        """At some later point; or at one by name, so that the rarer and the more telling ones have their chance."""
        named = draw.choice((None, draw.choice(self._points), draw.choice(TELLING)))
        self.armed.append(Arming(action, named, draw.randint(1, 80), self.agenda.now + micros(ANY_POINT_AFTER)))

    def look_at_acknowledgements(self) -> None:
        """An acknowledgement before its commit matters at the very instant of a crash, so that is when one looks.

        Not after a backup was restored: until the subscriptions are put back, they are ahead of the store (R11).
        """
        if self.scene.history.restored:
            return
        shards = {row.shard: row for row in self.scene.views.shards()}
        cursors = cursors_of(self.scene.wiring, self.scene.broker)
        for found in acknowledgements(self.agenda.now, self.scene.wiring, cursors, shards):
            self.scene.history.append(found)
