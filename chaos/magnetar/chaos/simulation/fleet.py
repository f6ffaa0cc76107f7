"""The worker processes of a run: one that is wanted, and zombies. Steps them in virtual time."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from magnetar.chaos.simulation.process import Crash, Process
from magnetar.chaos.simulation.sender import OUTSIDE
from magnetar.runtime.bus.port import BusError
from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.store.port import CommitUnknown, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.chaos.simulation.agenda import Agenda
    from magnetar.chaos.simulation.chance import Chance
    from magnetar.chaos.simulation.process import Scene, Trap

STEPS = 60_000
"""More steps than any run needs: an engine that wants so many does not come to rest."""


class Restless(BaseException):
    """The run took too many steps: something is done again and again and never ends. No worker may catch this."""


class Fleet:
    """Starts, steps, freezes and buries worker processes.

    Freezing is a matter of the call stack: the frozen process's step stays beneath a nested `run`, which steps
    everybody else until it is thawed. So a process can stop between any two calls that it makes.
    """

    def __init__(self, scene: Scene, agenda: Agenda, chance: Chance, cost: float, trap: Trap) -> None:
        self.scene = scene
        self.current: Process | None = None
        self.alive: list[Process] = []
        self.depth = 0
        self.calm = False
        self._agenda = agenda
        self._chance = chance
        self._cost = micros(cost)
        self._trap = trap
        self._draw = chance.stream("fleet")
        self._started = 0
        self._steps = 0
        self._seen = 0
        self._logs = [
            partition.log.deliveries
            for topic in scene.wiring.topics
            for partition in scene.broker.topic(topic).partitions
        ]
        self._read = [0] * len(self._logs)

    # a process's life

    def launch(self) -> None:
        """Start a process; it is the one that is wanted from now on."""
        self._started += 1
        name = f"w{self._started}"
        process = Process(self.scene, name, self._trap, self._chance.stream("noise", name))
        self.current = process
        self.alive.append(process)
        self.tell(f"{name} starts")
        try:
            process.start()
        except Crash:
            self._buried(process)
        except (StoreUnavailable, CommitUnknown, BusError) as error:
            self.tell(f"{name} cannot start: {error}")
            self._buried(process)
        except Exception as error:  # noqa: BLE001 - any other error is a finding
            self._stopped(process, error)

    def replace(self, process: Process | None, delay: float) -> None:
        """Start another one after a while, unless somebody else did by then."""

        def start() -> None:
            if self.current is process:
                self.launch()

        self._agenda.after(delay, start)

    def kill(self, process: Process) -> None:
        """SIGKILL, whatever it is doing."""
        if process not in self.alive:
            return
        if process.frozen:
            process.doomed = True
            process.bus.disconnect()
        else:
            self._buried(process)

    def freeze(self, process: Process, duration: float) -> None:
        """Stop the process where it stands, for so many seconds; called from within its own step.

        Raises `Crash` if it is killed meanwhile.
        """
        epochs = dict(self.scene.history.epochs)
        self.tell(f"{process.name} is frozen at {process.point} for {duration:.2f} s")
        process.frozen = True
        process.bus.freeze()
        self.depth += 1
        self.run(self._agenda.now + micros(duration))
        self.depth -= 1
        process.frozen = False
        if process.doomed:
            raise Crash
        process.bus.thaw()
        self.tell(f"{process.name} is thawed at {process.point}")
        if epochs != self.scene.history.epochs:
            self.scene.history.meet("a frozen worker woke up after it was replaced")

    def _buried(self, process: Process) -> None:
        self.tell(f"{process.name} is gone, at {process.point}")
        process.end()
        self.alive.remove(process)
        if self.current is process:
            self.replace(process, self._draw.choice((0.0, 0.3, 2.0)))

    def _stopped(self, process: Process, error: Exception) -> None:
        trail = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{trail.filename.rpartition('/')[2]}:{trail.lineno}"
        self.scene.history.blame(
            "a worker does not stop by itself", process.name, f"{type(error).__name__} in {where}: {error}"
        )
        self._buried(process)

    # stepping

    def run(self, until: Instant, rested: Callable[[], bool] | None = None) -> None:
        """Let everything happen up to `until`, or until `rested` says so when nothing is left to do at the moment."""
        while self._agenda.now < until:
            if self._agenda.act():
                self.poke()
                continue
            process = self._next()
            if process is not None:
                self._step(process)
                continue
            if rested is not None and rested():
                return
            self._sleep(until)

    def poke(self) -> None:
        """Something happened outside: everybody looks again."""
        for process in self.alive:
            process.poke()

    def tell(self, what: str) -> None:
        """A line of the story."""
        self.scene.history.tell(self._agenda.now, what)

    def _next(self) -> Process | None:
        now = self._agenda.now
        ready = [each for each in self.alive if not each.frozen and each.wake is not None and each.wake <= now]
        if len(ready) > 1:
            self.scene.history.meet("two workers were awake at once")
            return self._draw.choice(ready)
        return ready[0] if ready else None

    def _step(self, process: Process) -> None:
        self._steps += 1
        if self._steps > STEPS:
            text = f"{process.name} took step {STEPS} at {process.point}"
            raise Restless(text)
        self._agenda.now += self._cost
        try:
            process.step()
            if process.gone:
                process.close()
        except Crash:
            if process.doomed:
                self.tell(f"{process.name} was killed while it was frozen")
            self._buried(process)
            return
        except Exception as error:  # noqa: BLE001 - any error that ends a worker is a finding
            self._stopped(process, error)
            return
        if process.gone:
            self.tell(f"{process.name} has left")
            process.end()
            self.alive.remove(process)
        self._arrived()

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

    def _sleep(self, until: Instant) -> None:
        """Nothing is to be done now: to the next instant at which something is."""
        wakes = [process.wake for process in self.alive if not process.frozen and process.wake is not None]
        planned = self._agenda.next()
        choices = [until, *wakes] if planned is None else [until, planned, *wakes]
        self._agenda.now = max(self._agenda.now, min(choices))
