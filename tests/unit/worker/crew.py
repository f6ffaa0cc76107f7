"""Several workers on one bench: each steps its machines in virtual time, until it is stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.instant import micros
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.membership import Liveness
from magnetar.runtime.worker.ownership import Tenure
from tests.unit.worker.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.app import App
    from magnetar.runtime.bus.memory import MemoryBus
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.worker.engine import Engine

_STEPS = 200_000


@dataclass
class Hand:
    """One worker. `frozen`: it is not stepped, and its broker connection answers no probe. `lag`: its clock's."""

    bus: MemoryBus
    engine: Engine
    frozen: bool = False
    lag: Instant = 0

    def step(self, now: Instant) -> Instant | None:
        """Step it, and say when it wants to be stepped again."""
        wanted = self.engine.step(now - self.lag).at
        return None if wanted is None else wanted + self.lag

    @property
    def owns(self) -> set[str]:
        """The shards that it believes to be its own."""
        return {shard.name for shard in self.engine.holdings.shards()}


class Crew:
    """Workers by name over the broker and database of a bench, whose own worker never starts."""

    def __init__(self, *names: str, app: App | None = None, tenure: Tenure | None = None) -> None:
        """They all start at once."""
        settings = Settings(tenure=tenure or Tenure(liveness=Liveness()))
        self.bench = Bench(settings=settings, start=False) if app is None else Bench(app, settings, start=False)
        self.bench.bus.disconnect()
        self.hands: dict[str, Hand] = {}
        for name in names:
            self.join(name)

    def join(self, name: str) -> Hand:
        """One more."""
        self.hands[name] = Hand(*self.bench.worker(name))
        return self.hands[name]

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self.hands.pop(name).bus.disconnect()

    def freeze(self, name: str) -> None:
        """SIGSTOP."""
        self.hands[name].frozen = True
        self.hands[name].bus.freeze()

    def thaw(self, name: str, *, slept: Instant = 0) -> None:
        """SIGCONT; `slept`: its whole machine was asleep for so long, and its clock did not go on."""
        self.hands[name].lag += slept
        self.hands[name].frozen = False
        self.hands[name].bus.thaw()

    @property
    def owners(self) -> dict[str, str]:
        """Shard → owner, as the store says."""
        return {row.shard: row.owner for row in self.bench.views.shards()}

    def advance(self, duration: float) -> None:
        """Let time pass for all."""
        self.until(lambda: False, duration)

    def until(self, condition: Callable[[], bool], within: float) -> bool:
        """Let time pass until the condition holds; False when it did not in so many seconds."""
        bench, end = self.bench, self.bench.now + micros(within)
        for _ in range(_STEPS):
            if condition():
                return True
            awake = [hand.step(bench.now) for hand in self.hands.values() if not hand.frozen]
            at: Instant = min((each for each in awake if each is not None), default=end)
            if at > bench.now:
                if bench.now >= end:
                    return condition()
                bench.now = min(at, end)
        raise AssertionError("the workers never sleep")
