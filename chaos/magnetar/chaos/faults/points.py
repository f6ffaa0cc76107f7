"""A worker that dies at a fault point: between the very two lines that are meant, under load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.errors import NodeMissing
from magnetar.chaos.cluster.stations import WorkerStation, state
from magnetar.chaos.faults.fault import Proof
from magnetar.chaos.faults.processes import well
from magnetar.chaos.workloads.arms import Arm

if TYPE_CHECKING:
    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.faults.fault import InForce
    from magnetar.chaos.faults.targets import Target
    from magnetar.chaos.workloads.arms import Arms


@dataclass(frozen=True, slots=True)
class Crash:
    """SIGKILL by itself at the `nth` time that it reaches a point; down until it is healed.

    A worker that has no fault points is asked to leave first, and started with them.
    """

    target: Target
    point: str
    nth: int = 1

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"{self.target.title} dies at {self.point}" + (f", pass {self.nth}" if self.nth > 1 else "")

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`. Raises `CrewFailed`."""
        (node,) = self.target.resolve(ground)
        station = ground.station(node)
        if not isinstance(station, WorkerStation):
            raise NodeMissing(node.name, tuple(ground.stations))
        arms = station.crew.armed(node.number)
        (pid,) = station.pids()
        arms.order(Arm(self.point, self.nth))
        return _Crashing(station, pid, arms, self.point)


@dataclass(frozen=True, slots=True)
class _Crashing:
    station: WorkerStation
    pid: int
    arms: Arms
    point: str

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.station.node.name,)

    def took_effect(self) -> Proof:
        """It has left word, and is gone; it is not started again before it is healed."""
        died = self.arms.died == self.point
        if died:
            self.station.crew.mourn(self.station.node.number, self.pid)
        words = (
            f"process {self.pid} died by itself at {self.point}" if died else f"process {self.pid} was not there yet"
        )
        return Proof(died and state(self.pid) in {"", "Z"}, words)

    def heal(self) -> None:
        self.arms.disarm()
        if not self.station.pids():
            self.station.start()

    def healed(self) -> Proof:
        return well([self.station])
