"""A deployment that somebody forgot to stop: as many workers again, with settings of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from magnetar.chaos.cluster.errors import NodeMissing
from magnetar.chaos.cluster.profile import Role
from magnetar.chaos.cluster.stations import WorkerStation
from magnetar.chaos.faults.fault import Proof
from magnetar.chaos.faults.processes import well

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.cluster.crew import Crew
    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.faults.fault import InForce

STALE: Final = "magnetar.chaos.workloads.stale:STALE"
"""As a worker's command line names it."""


@dataclass(frozen=True, slots=True)
class SecondFleet:
    """Workers of an old deployment, one at the node of each worker, on the same topics and the same store.

    They are ended by SIGKILL when it is healed.
    """

    @property
    def title(self) -> str:
        """See `Fault`."""
        return "a second fleet with stale settings"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`. Raises `CrewFailed`."""
        nodes = ground.profile.of(Role.WORKER)
        stations = [station for node in nodes if isinstance(station := ground.station(node), WorkerStation)]
        if len(stations) != len(nodes):
            raise NodeMissing("worker", tuple(ground.stations))
        fleet = stations[0].crew.beside(STALE)
        try:
            fleet.start(*(node.number for node in nodes))
        except BaseException:
            fleet.dismiss()
            raise
        return _Beside(ground, stations, fleet)


@dataclass(frozen=True, slots=True)
class _Beside:
    ground: Ground
    stations: Sequence[WorkerStation]
    fleet: Crew

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(station.node.name for station in self.stations)

    def took_effect(self) -> Proof:
        """The store names some of them as owners of shards."""
        views = self.ground.store.views()
        try:
            owned = sum(row.owner in set(self.fleet.owners) for row in views.shards())
        finally:
            views.close()
        return Proof(owned > 0, f"{len(self.fleet.owners)} more workers have {owned} shards")

    def heal(self) -> None:
        self.fleet.dismiss()

    def healed(self) -> Proof:
        return well(self.stations)
