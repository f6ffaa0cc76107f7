"""The worker processes of a run: those that are wanted, and zombies. Steps them in virtual time."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from magnetar.chaos.history import Died, Restless
from magnetar.chaos.simulation.deaths import Crash, Killed
from magnetar.chaos.simulation.process import Process
from magnetar.chaos.simulation.scheduler import SCHEDULERS, Fifo, Scheduler
from magnetar.chaos.simulation.sender import OUTSIDE
from magnetar.runtime.bus.port import BusError
from magnetar.runtime.identity import id_of
from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.care import Caution
from magnetar.runtime.store.port import CommitUnknown, StoreUnavailable

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from magnetar.chaos.simulation.agenda import Agenda
    from magnetar.chaos.simulation.chance import Chance
    from magnetar.chaos.simulation.process import Scene, Trap

STEPS = 120_000
"""More steps than any run needs, also where four workers wait a minute for a clock that was put back (65,400).

An engine that wants so many does not come to rest.
"""


class Fleet:
    """Starts, steps, freezes and buries worker processes.

    Freezing is a matter of the call stack: the frozen process's step stays beneath a nested `run`, which steps
    everybody else until it is thawed, or the run is over. So a process can stop between any two calls that it makes.
    `idle` is called when nobody has anything to do at the moment.
    """

    def __init__(self, scene: Scene, agenda: Agenda, chance: Chance, trap: Trap, idle: Callable[[], None]) -> None:
        self.scene = scene
        self.wanted: list[Process] = []
        self.alive: list[Process] = []
        self.depth = 0
        self.calm = False
        self.over = False
        self._agenda = agenda
        self._chance = chance
        self._cost = micros(scene.options.cost)
        self._trap = trap
        self._idle = idle
        self._draw = chance.stream("fleet")
        self._scheduler: Scheduler = SCHEDULERS[scene.options.scheduler](chance.stream("scheduler"))
        self._crowded = False
        self._started = 0
        self._steps = 0
        self._seen = 0
        self._logs = [
            partition.log.deliveries
            for topic in scene.wiring.topics
            for partition in scene.broker.topic(topic).partitions
        ]
        self._read = [0] * len(self._logs)

    def calm_down(self) -> None:
        """The faults are over. From here on everybody has his turn, as on any machine.

        Who always yields to others that only look around never comes to rest, and that proves nothing.
        """
        self.calm = True
        self._scheduler = Fifo(self._draw)

    # a process's life

    def launch(self) -> None:
        """Start a process that is wanted from now on."""
        self._started += 1
        name = f"w{self._started}"
        process = Process(self.scene, name, self._trap, self._chance.stream("noise", name))
        self.wanted.append(process)
        self.alive.append(process)
        self.scene.history.tell(f"{name} starts")
        try:
            process.start()
        except Crash:
            self._buried(process)
        except (StoreUnavailable, CommitUnknown, BusError) as error:
            self.scene.history.tell(f"{name} cannot start: {error}")
            self._buried(process)
        except Exception as error:  # noqa: BLE001 - any other error is a finding
            self._stopped(process, error)

    def replace(self, process: Process, delay: float) -> None:
        """Start another one for it after a while, unless somebody else did by then."""

        def start() -> None:
            if process in self.wanted:
                self.wanted.remove(process)
                self.launch()

        self._agenda.after(delay, start)

    def dismiss(self, process: Process) -> None:
        """SIGTERM. What it lets go of at once are calls, too: it may end at any of them."""
        try:
            process.leave()
        except Crash:
            self._buried(process)
        except Exception as error:  # noqa: BLE001 - as in a step
            self._stopped(process, error)

    def kill(self, process: Process) -> None:
        """SIGKILL, whatever it is doing."""
        if process not in self.alive:
            return
        if process.frozen:
            process.doomed = True
            process.bus.disconnect()
        else:
            self._buried(process)

    def freeze(self, process: Process, duration: float | None) -> None:
        """Stop the process where it stands, for so many seconds or for good; called from within its own step.

        Raises `Crash` if it is killed meanwhile, or never wakes up.
        """
        epochs = dict(self.scene.history.epochs)
        how_long = "for good" if duration is None else f"for {duration:.2f} s"
        self.scene.history.tell(f"{process.name} is frozen at {process.point} {how_long}", harm=True)
        process.frozen = True
        process.bus.freeze()
        self.depth += 1
        self.run(None if duration is None else self._agenda.now + micros(duration))
        self.depth -= 1
        process.frozen = False
        if process.doomed or self.over:
            raise Crash
        process.bus.thaw()
        self.scene.history.tell(f"{process.name} is thawed at {process.point}")
        if epochs != self.scene.history.epochs:
            self.scene.history.meet("a frozen worker woke up after it was replaced")

    def some(self, draw: random.Random) -> Process | None:
        """One of the wanted ones that is up and running, if there is one."""
        up = [each for each in self.wanted if each in self.alive and not each.frozen and each.engine is not None]
        return draw.choice(up) if up else None

    def _buried(self, process: Process) -> None:
        self.scene.history.tell(f"{process.name} is gone, at {process.point}")
        process.end()
        self.alive.remove(process)
        if process in self.wanted:
            self.replace(process, self._draw.choice((0.0, 0.1, 0.6)))

    def _stopped(self, process: Process, error: Exception) -> None:
        trail = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{trail.filename.rpartition('/')[2]}:{trail.lineno}"
        self.scene.history.blame(
            "a worker does not stop by itself", process.name, f"{type(error).__name__} in {where}: {error}"
        )
        self._buried(process)

    # stepping

    def run(self, until: Instant | None) -> None:
        """Let everything happen up to `until`, or until the run is over."""
        while not self.over and (until is None or self._agenda.now < until):
            if self._agenda.due:
                if self._agenda.act():
                    self.poke()
                else:
                    self._arrived()
                continue
            awake = self._awake()
            if len(awake) == 1:  # nobody to be interleaved with: the rest of its round in one go
                self._step(awake[0], awake[0].left_of_round)
                continue
            if awake:
                self._met()
                self._step(self._scheduler.choose(awake), 1)
                continue
            self._idle()
            if not self.over:
                self._sleep(until)

    def _met(self) -> None:
        """Worth a word the first time: it was nine of ten events."""
        if not self._crowded:
            self._crowded = True
            self.scene.history.meet("two workers were awake at once")

    def poke(self) -> None:
        """Something happened outside: everybody looks again."""
        for process in self.alive:
            process.poke()

    def _awake(self) -> list[Process]:
        now = self._agenda.now
        return [each for each in self.alive if not each.frozen and each.wake is not None and each.wake <= now]

    def _step(self, process: Process, machines: int) -> None:
        self._steps += machines
        if self._steps > STEPS:
            what = f"{process.name} took step {STEPS} at {process.point}"
            self.scene.history.append(Restless(self._agenda.now, what))
            self.over = True
            return
        try:
            for _ in range(machines):
                self._agenda.now += self._cost
                process.step()
            if process.leaving and process.gone:
                process.close()
        except Crash as crash:
            self._crashed(process, crash)
            return
        except Exception as error:  # noqa: BLE001 - any error that ends a worker is a finding
            self._stopped(process, error)
            return
        if process.leaving and process.gone:
            self._left(process)
        self._arrived()

    def _crashed(self, process: Process, crash: Crash) -> None:
        if isinstance(crash, Killed):
            self._killed(process, crash)
        if process.doomed:
            self.scene.history.tell(f"{process.name} was killed while it was frozen")
        self._buried(process)

    def _killed(self, process: Process, by: Killed) -> None:
        """What the database says of it at that very moment."""
        history, rows = self.scene.history, {row.shard: row for row in self.scene.views.shards()}
        partitions = self.scene.wiring.actors[by.actor].policy.partitions
        row, message_id = rows[f"{by.actor}/{partition_of(by.key, partitions)}"], id_of(by.message_id)
        mine = (hand for each in rows.values() for hand in each.hands if each.owner == hand.owner == process.name)
        held = tuple(hand.message_id for hand in mine if hand.holder)
        owned, alone = row.owner == process.name, row.careful == Caution.ALONE and not _flows(process, message_id)
        history.tell(f"{process.name} is killed by {by.message_id}, in hand: {message_id in held}", harm=True)
        history.meet("a message killed its worker", message_id not in held)
        history.meet("a message that was in hand killed its worker", message_id in held)
        history.append(Died(self._agenda.now, process.name, row.shard, message_id, held, owned, alone))

    def _left(self, process: Process) -> None:
        self.scene.history.tell(f"{process.name} has left")
        process.end()
        self.alive.remove(process)

    def _arrived(self) -> None:
        """When something was published everybody looks again; and what a shard publishes is committed by then."""
        stored = sum(map(len, self._logs))
        if stored == self._seen:
            return
        self._seen = stored
        self.poke()
        history = self.scene.history
        for number, log in enumerate(self._logs):
            for delivery in log[self._read[number] :]:
                sender = delivery.properties.get("sender", OUTSIDE)
                if sender != OUTSIDE and delivery.properties["message_id"] not in history.decided:
                    subject = f"shard {sender}, message {delivery.properties['message_id']}"
                    history.blame("what is published is committed", subject, "it was sent before its commit")
            self._read[number] = len(log)

    def _sleep(self, until: Instant | None) -> None:
        """Nothing is to be done now: to the next instant at which something is."""
        choices = [process.wake for process in self.alive if not process.frozen and process.wake is not None]
        choices += [instant for instant in (until, self._agenda.next()) if instant is not None]
        self._agenda.now = max(self._agenda.now, min(choices))


def _flows(process: Process, message_id: bytes) -> bool:
    """Whether a message is of a feed of which all was behind that the last owner may have had in hand (R25)."""
    engine = process.engine
    for batch in engine.turn.batches if engine is not None else ():
        careful = batch.shard.custody.careful
        for feed, deliveries in batch.deliveries:
            if any(id_of(each.properties["message_id"]) == message_id for each in deliveries):
                return careful is not None and not careful.owes(feed.name)
    return False
