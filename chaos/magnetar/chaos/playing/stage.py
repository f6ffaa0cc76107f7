"""The cluster that scenarios are played on, and whoever works on it."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from magnetar.chaos.cluster.crew import PROGRAM, until
from magnetar.chaos.cluster.crowd import crowded
from magnetar.chaos.cluster.errors import StationFailed
from magnetar.chaos.cluster.ground import raised
from magnetar.chaos.history import History
from magnetar.chaos.playing.agenda import length
from magnetar.chaos.takeover.moves import is_balanced
from magnetar.chaos.workloads.elder import ELDER
from magnetar.chaos.workloads.market import MARKET, TARGET, WORKS
from magnetar.runtime.instant import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from magnetar.chaos.cluster.crowd import Crowd
    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.profile import Profile
    from magnetar.chaos.scenarios.spec import Scenario
    from magnetar.runtime.instant import Instant

_WELL_SECONDS = 60.0
_LOOK = 0.1
_ROOM, _A_MINUTE = 200, 50
"""Mebibytes: the least that must be free, and what a bookie writes in a minute at the usual load."""
_PROOFS = 2.0
"""So much longer than planned it takes, with proofs and healing."""


class Tell(Protocol):
    """For whoever waits."""

    def __call__(self, what: str) -> None:
        """Something happened."""
        ...

    def live(self, state: str) -> None:
        """How it is now; called several times a second."""
        ...


@dataclass(kw_only=True)
class Stage:
    """One cluster, for as long as every scenario on it is valid. Times are seconds since `began`, an instant.

    `history`: of all that was played on it, for the checkers: topics and store hold all of that, too. `told`: how many
    entries of the provider's log belong to earlier scenarios. `tell` is for whoever waits.
    """

    ground: Ground
    crowd: Crowd
    folder: Path
    tell: Tell
    state: str = ""
    waiting: int | None = None
    began: Instant = field(default_factory=lambda: time.time_ns() // 1000)
    history: History = field(default_factory=lambda: History(lambda: time.time_ns() // 1000))
    told: int = 0
    plays: int = 0
    counted: Counter[str] = field(default_factory=Counter[str])
    fallen: list[str] = field(default_factory=list)

    @property
    def now(self) -> float:
        """Seconds since it began."""
        return self.seconds(time.time_ns() // 1000)

    def seconds(self, instant: Instant) -> float:
        """As times of a record are."""
        return (instant - self.began) / SECOND

    def anew(self) -> None:
        """The next scenario begins now."""
        self.plays += 1
        self.began = time.time_ns() // 1000

    def wait(self, end: float, check: Callable[[], object]) -> None:
        """Until this time, while whoever falls is started again, as everywhere where workers are run for long.

        `check` raises when there is nothing to wait for any more.
        """
        while (left := end - self.now) > 0:
            check()
            self.fallen += self.crowd.crew.fallen()
            self.tell.live(self.state)
            time.sleep(min(left, _LOOK))

    def has_room(self, scenario: Scenario) -> bool:
        """Whether each disk can take what it writes."""
        disks, profile = self.ground.disks, self.ground.profile
        room = max(_ROOM, _A_MINUTE * _PROOFS * length(scenario.faults) / 60)
        return all(disks.room(profile.node(name)) >= room for name in disks.names)

    def await_health(self) -> None:
        """Proof that all is well before anything is done. Raises `StationFailed`."""
        stations = list(self.ground.stations.values())
        if not until(lambda: not any(station.lacks() for station in stations), _WELL_SECONDS):
            lacking = {station.node.name: station.lacks() for station in stations}
            name, lack = next((each for each in lacking.items() if each[1]), ("somebody", "was not ready for long"))
            raise StationFailed(name, f"{lack}, {_WELL_SECONDS:.0f} s after all should have been well")
        with closing(self.ground.store.views()) as views:
            owners = self.crowd.crew.owners
            if not until(lambda: is_balanced({row.shard: row.owner for row in views.shards()}, owners), _WELL_SECONDS):
                raise StationFailed("workers", f"they did not share all shards within {_WELL_SECONDS:.0f} s")


@contextmanager
def staged(
    profile: Profile, folder: Path, tell: Tell, program: tuple[str, ...] = PROGRAM, *, elders: bool = False
) -> Generator[Stage]:
    """A cluster with its workers and provider for the block. Raises what these raise.

    `program`: see `crowded`. `elders`: some customers will be a release behind.
    """
    with ExitStack() as opened:
        tell(f"starting a cluster: {', '.join(node.name for node in profile.nodes[:-2])}")
        ground = opened.enter_context(raised(profile, MARKET, folder, "play", before=[ELDER] if elders else []))
        tell(f"the servers are up after {ground.took:.0f} s; starting workers and provider")
        crowd = opened.enter_context(crowded(ground, TARGET, folder, f"{WORKS}=1", program=program))
        yield Stage(ground=ground, crowd=crowd, folder=folder, tell=tell)
