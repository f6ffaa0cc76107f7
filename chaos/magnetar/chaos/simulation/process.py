"""One worker process: the product's engine over its own connections, killed or frozen at any fault point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from magnetar.chaos.simulation.askings import Askings
from magnetar.chaos.simulation.provider import Line, Provider
from magnetar.chaos.simulation.store import StormyStore
from magnetar.chaos.simulation.tails import Listening
from magnetar.runtime.bus.memory import Broker, MemoryBus
from magnetar.runtime.instant import SECOND, Instant, seconds
from magnetar.runtime.worker.answers import Ending
from magnetar.runtime.worker.breaker import BreakerState
from magnetar.runtime.worker.engine import Engine, Surroundings
from magnetar.runtime.worker.intake import Receiving
from magnetar.runtime.worker.observer import Loss, Observer

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from magnetar.chaos.history import History
    from magnetar.chaos.simulation.agenda import Agenda, StoreClock
    from magnetar.chaos.simulation.options import Options
    from magnetar.chaos.simulation.weather import Weather
    from magnetar.runtime.bus.port import Bus
    from magnetar.runtime.store.port import ShardChanges, ShardName
    from magnetar.runtime.wiring import Wiring


_APART: Instant = 10**6 * SECOND
"""The clocks of two processes, and that of the store, are at most twice so far from each other."""


class Trap(Protocol):
    """Who waits for fault points, and may kill or freeze a process there. `armed` is empty while nobody waits."""

    armed: list[Any]

    def spring(self, process: Process, point: str) -> None:
        """The process is at this point. Raises `Crash`, or returns when the process goes on."""
        ...


class Scene:
    """What all processes of a run share. `between`: what stands between an engine and its connection to the broker."""

    def __init__(
        self, wiring: Wiring, broker: Broker, weather: Weather, agenda: Agenda, clock: StoreClock, options: Options
    ) -> None:
        self.wiring = wiring
        self.broker = broker
        self.weather = weather
        self.database = weather.database
        self.views = self.database.views()
        self.agenda = agenda
        self.clock = agenda.clock
        self.store_clock = clock
        self.options = options
        self.provider = Provider(agenda, weather.history, self.views)
        self.askings = Askings()
        self.between: Callable[[Bus], Bus] | None = None

    @property
    def history(self) -> History:
        """What was seen so far."""
        return self.weather.history


class Process:
    """A worker process, from its start to its end.

    `wake`: when it wants to be stepped; None: when something arrives. `left_behind`: frozen or cut off for good.
    """

    def __init__(self, scene: Scene, name: str, trap: Trap, noise: random.Random) -> None:
        self.scene = scene
        self.name = name
        self.point = ""
        self.frozen = False
        self.doomed = False
        self.left_behind = False
        self.leaving = False
        self.wake: Instant | None = scene.clock()
        self.bus = MemoryBus(scene.broker, name, scene.clock)
        self.engine: Engine | None = None
        self._trap = trap
        self._agenda = scene.agenda
        self._noise = noise
        self._ahead = noise.randrange(-_APART, _APART)
        self.store = StormyStore(scene.database.open(), scene.weather, name)
        self._machine = 0
        self._soonest: Instant | None = None

    def start(self) -> None:
        """Make the engine. Raises what the ports raise, and `Crash`."""
        scene = self.scene
        around = Surroundings(
            bus=self.bus if scene.between is None else scene.between(self.bus),
            store=self.store,
            owner=self.name,
            code="simulation",
            receiving=Receiving(lambda consumer: Listening(consumer, scene.weather.tails), wake=self.poke),
            noise=self._noise.randbytes,
            clock=lambda: seconds(self._clock()),
            observer=Witness(self),
            points=self,
            bulkhead=Line(self, scene.provider),
        )
        self.engine = Engine(scene.wiring, around, scene.options.settings)

    @property
    def left_of_round(self) -> int:
        """How many machines are still to be stepped before it may sleep."""
        return 1 if self.engine is None else len(self.engine.machines) - self._machine

    def step(self) -> None:
        """One step of one machine, in turn; after a round of all, sleep until the first wants to be called again."""
        engine = self.engine
        assert engine is not None, f"{self.name} was never started"
        wanted = engine.machines[self._machine].step(self._agenda.now + self._ahead).at
        if wanted is not None and (self._soonest is None or wanted < self._soonest):
            self._soonest = wanted
        self._machine = (self._machine + 1) % len(engine.machines)
        if self._machine == 0:
            self.wake = None if self._soonest is None else self._soonest - self._ahead
            self._soonest = None

    def _clock(self) -> Instant:
        """The process's own clock, which says nothing of what time it is for others."""
        return self._agenda.now + self._ahead

    def poke(self) -> None:
        """Something may have arrived."""
        self.wake = self._agenda.now

    def reach(self, point: str) -> None:
        """A fault point of this process: the engine's `Points`."""
        self.point = point
        if self._trap.armed:
            self._trap.spring(self, point)

    def leave(self) -> None:
        """SIGTERM."""
        self.leaving = True
        if self.engine is not None:
            self.engine.ownership.leave()
            self.poke()

    @property
    def gone(self) -> bool:
        """Whether a process that leaves has nothing left."""
        return self.leaving and self.engine is not None and self.engine.ownership.gone

    def close(self) -> None:
        """The orderly end of a process that has left."""
        assert self.engine is not None, f"{self.name} was never started"
        self.engine.close()

    def end(self) -> None:
        """The process's memory is gone; the broker and the database notice."""
        self.engine = None
        self.bus.disconnect()
        self.store.close()


class Witness(Observer):
    """Tells the history of situations worth meeting; the checkers do not ask it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._history = process.scene.history

    def owned(self, shard: ShardName, epoch: int) -> None:
        """See `Observer`."""
        self._tell(f"owns {shard} since epoch {epoch}")

    def went_back(self, shard: ShardName, why: str) -> None:
        """See `Observer`: in a simulation only what restores a backup makes a store go back."""
        self._history.meet("a worker noticed that the store went back")
        if not self._history.restored:
            subject = f"{self._process.name}, {shard}"
            self._history.blame("no store went back", subject, why)

    def lost(self, shard: ShardName, why: str, loss: Loss) -> None:  # noqa: ARG002
        """See `Observer`."""
        self._tell(f"lost {shard}: {why}")
        for words, situation in _LOSSES.items():
            if words in why:
                self._history.meet(situation)

    def committed(self, group: Sequence[ShardChanges], at: Instant) -> None:  # noqa: ARG002
        """See `Observer`."""
        self._history.meet("a group had several shards", len(group) > 1)
        for changes in group:
            for situation in self._process.scene.askings.met(changes):
                self._history.meet(situation)

    def called(self, dependency: str, ending: Ending, took: float) -> None:  # noqa: ARG002
        """See `Observer`."""
        self._history.meet("an effect was done", ending is Ending.SUCCESS)

    def breaker(self, dependency: str, state: BreakerState) -> None:  # noqa: ARG002
        """See `Observer`."""
        self._history.meet("a breaker opened", state is BreakerState.OPEN)
        self._history.meet("a breaker closed again", state is BreakerState.CLOSED)

    def duplicates(self, actor: str, count: int) -> None:  # noqa: ARG002
        """See `Observer`."""
        self._history.meet("the journal absorbed a duplicate", count)

    def rehomed(self, actor: str, count: int) -> None:  # noqa: ARG002
        """See `Observer`."""
        self._history.meet("a message in the wrong partition was sent on", count)

    def stale_timers(self, actor: str, count: int) -> None:  # noqa: ARG002
        """See `Observer`."""
        self._history.meet("a timer fired that had been cancelled or replaced", count)

    def unknown_commit(self, *, happened: bool) -> None:
        """See `Observer`."""
        outcome = "had happened" if happened else "had not happened"
        self._history.meet(f"an unknown commit {outcome}")

    def relayed(self, shard: ShardName, count: int, duplicates: int) -> None:  # noqa: ARG002
        """See `Observer`."""
        self._history.meet("the broker dropped a message that was sent again", duplicates)

    def blocked(self, shard: ShardName, destination: str, why: str) -> None:
        """See `Observer`: nothing in a simulation may block a lane for good."""
        self._history.blame(
            "a lane is never blocked by what heals", f"{self._process.name}, {shard} to {destination}", why
        )

    def _tell(self, what: str) -> None:
        self._history.tell(f"{self._process.name} {what}")


_LOSSES = {
    "no store for": "a worker without a store let its shards go",
    "has had no connection": "a worker without a broker let its shards go",
    "its epoch is": "a worker noticed that another one had taken its shard",
    "fence refused": "a worker learned from its fence that a shard was gone",
    "read back": "a shard was lost while an unknown commit was read back",
}
