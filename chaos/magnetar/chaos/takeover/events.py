"""What is done to the workers, row by row; each waits until all is well again, or has been given up."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.crew import until
from magnetar.chaos.takeover import catching
from magnetar.chaos.takeover import moves as counting
from magnetar.chaos.takeover.moves import Held, Moves
from magnetar.chaos.takeover.netting import Side
from magnetar.chaos.takeover.rows import Band, Event
from magnetar.runtime.store.port import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from magnetar.chaos.cluster.crew import Crew
    from magnetar.chaos.takeover.feeding import Feeder
    from magnetar.chaos.takeover.ground import Ground
    from magnetar.chaos.takeover.netting import Network
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName
    from magnetar.runtime.store.views import Views

FROZEN = 30.0
DOWN = 6.0
"""Seconds without PostgreSQL: longer than a worker keeps its shards without it, so that they are let go, too (R13)."""
_PATIENCE = 30.0
_EVENING = 90.0
"""Seconds until everybody has its share: shards are handed on at leisure, and serve their keys meanwhile."""
_AFTER = 2.0
"""Seconds of load that still belong to a row when all shards are owned again."""
_BURST, _BURSTS = 400, 4
_CATCHING = 3.0
"""Seconds of each burst; after it groups are as small as ever."""
REFUSED, DUPLICATES = "magnetar_commits_refused_total", "magnetar_duplicates_total"
LAG = "magnetar_shard_lag_seconds"


@dataclass(slots=True)
class Stage:
    """All that events are done with. `rate`: orders a second."""

    network: Network
    ground: Ground
    crew: Crew
    feeder: Feeder
    chance: random.Random
    rate: float
    bands: list[Band] = field(default_factory=list)
    _views: Views | None = None

    def held(self) -> dict[ShardName, Held]:
        """Who has what, as the store says. Raises `StoreError`."""
        if self._views is None:
            self._views = self.ground.store.views()
        try:
            return {row.shard: Held(row.owner, row.epoch) for row in self._views.shards()}
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection to the store, if there is one."""
        views, self._views = self._views, None
        if views is not None:
            views.close()

    def victim(self) -> int:
        """One of the workers."""
        return self.chance.choice(sorted(self.crew.workers))

    def owned_by(self, owners: Collection[str], within: float = _PATIENCE) -> bool:
        """Wait until every shard is one of theirs."""
        return self._wait(lambda held: all(each.owner in owners for each in held.values()), within)

    def balanced(self, within: float = _EVENING) -> bool:
        """Wait until those who live share everything."""
        return self._wait(
            lambda held: counting.is_balanced({shard: each.owner for shard, each in held.items()}, self.crew.owners),
            within,
        )

    def caught_up(self, within: float = _PATIENCE) -> bool:
        """Wait until nothing that has arrived waits for a second. What is late belongs to the row that made it so."""

        def met() -> bool:
            self.crew.look()
            return self.crew.level(LAG) == 0

        return until(met, within)

    def band(self, begin: Instant, what: str) -> None:
        """Something was so from then until now."""
        self.bands.append(Band(begin, now(), what))

    def _wait(self, condition: Callable[[Mapping[ShardName, Held]], bool], within: float) -> bool:
        def met() -> bool:
            try:
                return condition(self.held())
            except StoreError:
                return False

        return until(met, within)


@dataclass(frozen=True, slots=True)
class _Found:
    """What an event has to say of itself."""

    mark: Instant | None = None
    refused: int = 0
    moves: Moves | None = None
    failed: str = ""
    slow: str = ""


def play(stage: Stage, name: str) -> Event:
    """Do one row's event under load."""
    stage.feeder.steady(name, stage.rate)
    stage.bands.clear()
    stage.crew.look()
    before, begin = stage.crew.total(DUPLICATES), now()
    found = _EVENTS[name](stage)
    time.sleep(_AFTER)
    stage.caught_up()
    stage.crew.look()
    fallen = tuple(stage.crew.fallen())
    duplicates = stage.crew.total(DUPLICATES) - before
    event = Event(name, begin, now(), found.mark, tuple(stage.bands), found.refused, duplicates, found.moves)
    return replace(event, fallen=fallen, failed=found.failed, slow=found.slow)


def _kill(stage: Stage) -> _Found:
    victim, begin = stage.victim(), now()
    stage.crew.kill(victim)
    failed = _told(stage.owned_by(stage.crew.owners))
    stage.band(begin, f"worker {victim} dead")
    stage.crew.start(victim)
    return _Found(failed=failed)


def _freeze(stage: Stage) -> _Found:
    """In the midst of a commit: under a burst for one worker, with what PostgreSQL has of it held back."""
    victim = stage.victim()
    worker = stage.crew.workers[victim]
    mine = {int(shard.rpartition("/")[2]) for shard, held in stage.held().items() if held.owner == worker.owner}
    worker.ask()
    refused = worker.told[REFUSED]
    held_back = _caught(stage, victim, sorted(mine))
    stage.crew.freeze(victim)
    begin, others = now(), [owner for owner in stage.crew.owners if owner != worker.owner]
    failed = _told(stage.owned_by(others, FROZEN))
    catching.let_go(held_back)
    time.sleep(max(0.0, FROZEN - (now() - begin) / 1e6))
    stage.crew.thaw(victim)
    stage.band(begin, f"worker {victim} frozen{' in a commit' if held_back else ''}")
    stage.crew.await_ready(worker, _PATIENCE)
    worker.ask()
    return _Found(begin, refused=worker.told[REFUSED] - refused, failed=failed)


def _caught(stage: Stage, victim: int, partitions: list[int]) -> list[int]:
    """What serves the worker, stopped with a commit held back; nothing if none was caught, burst after burst.

    Nor where workers cannot be told apart by their addresses.
    """
    address = stage.network.address(victim, Side.STORE)
    pid, port = stage.crew.workers[victim].process.pid, stage.ground.postgres.address.port
    for _ in range(_BURSTS if address else 0):
        stage.feeder.burst("freeze", _BURST, partitions)
        serving = catching.caught(address, port, pid, _CATCHING)
        if serving:
            return serving
    return []


def _cut(stage: Stage, side: Side) -> _Found:
    victim, begin = stage.victim(), now()
    worker = stage.crew.workers[victim]
    stage.network.cut(victim, side)
    try:
        failed = _told(stage.owned_by([owner for owner in stage.crew.owners if owner != worker.owner]))
        time.sleep(_AFTER)
    finally:
        stage.network.heal(victim, side)
        stage.band(begin, f"worker {victim} cut from the {side.name.lower()}")
    well = stage.crew.await_ready(worker, _PATIENCE)
    return _Found(failed=failed or ("" if well else "the worker did not get ready again"))


def _database(stage: Stage) -> _Found:
    begin, postgres = now(), stage.ground.postgres
    postgres.kill()
    time.sleep(DOWN)
    postgres.start()
    mark = now()
    stage.band(begin, "PostgreSQL dead")
    time.sleep(_AFTER)
    return _Found(mark, failed=_told(stage.owned_by(stage.crew.owners)))


def _all(stage: Stage) -> _Found:
    numbers, begin = sorted(stage.crew.workers), now()
    stage.crew.kill(*numbers)
    time.sleep(1.0)
    mark = now()
    stage.crew.start(*numbers)
    stage.band(begin, "all workers dead, then starting")
    return _Found(mark, failed=_told(stage.owned_by(stage.crew.owners)))


def _rolling(stage: Stage) -> _Found:
    """As a Deployment with `maxSurge: 1`: first there is one more, then the old one goes."""
    stage.balanced()
    for number, successor in zip(sorted(stage.crew.workers), stage.crew.free, strict=False):
        begin = now()
        stage.crew.start(successor)
        stage.crew.stop(number)
        stage.band(begin, f"worker {successor} for worker {number}")
    return _Found(slow=_shared(stage.balanced()))


def _scale(stage: Stage) -> _Found:
    stage.balanced()
    up, slow = _resized(stage, lambda: stage.crew.start(*stage.crew.free))
    down, later = _resized(stage, lambda: stage.crew.stop(*stage.chance.sample(sorted(stage.crew.workers), 5)))
    return _Found(moves=up + down, slow=slow or later)


def _resized(stage: Stage, change: Callable[[], None]) -> tuple[Moves, str]:
    before, begin = stage.held(), now()
    change()
    slow = _shared(stage.balanced())
    stage.band(begin, f"until {len(stage.crew.workers)} workers share")
    owners = {shard: held.owner for shard, held in before.items()}
    return Moves(counting.made(before, stage.held()), counting.least(owners, stage.crew.owners)), slow


_EVENTS: Mapping[str, Callable[[Stage], _Found]] = {
    "kill": _kill,
    "freeze": _freeze,
    "nobroker": lambda stage: _cut(stage, Side.BROKER),
    "nostore": lambda stage: _cut(stage, Side.STORE),
    "database": _database,
    "all": _all,
    "rolling": _rolling,
    "scale": _scale,
}


def _told(well: bool) -> str:  # noqa: FBT001 - what a wait has said
    return "" if well else "the shards were not all owned again in time"


def _shared(well: bool) -> str:  # noqa: FBT001 - as above
    return "" if well else f"the shards were not evenly shared out within {_EVENING:.0f} s"


def now() -> Instant:
    """This machine's clock, which is the customers' and the workers' too."""
    return time.time_ns() // 1000
