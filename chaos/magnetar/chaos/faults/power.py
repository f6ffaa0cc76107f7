"""Power: a machine is out from one instant to the next, and what it had not forced to its disk is gone."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.stations import tell
from magnetar.chaos.faults.fault import Proof
from magnetar.chaos.faults.processes import down, processes_of, require_all, revive, stations_of, well

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.stations import Station
    from magnetar.chaos.faults.fault import InForce
    from magnetar.chaos.faults.targets import Target

KEPT = frozenset({"forced"})
"""Of what was written to a disk, what is still there."""


@dataclass(frozen=True, slots=True)
class LosePower:
    """Frozen, their disks without power, killed; they stay down until it is healed, and find what was forced."""

    target: Target

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"power loss of {self.target.title}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`. Raises `DiskMissing` and `DiskInMemory`."""
        stations = stations_of(ground, self.target)
        before = processes_of(stations)
        require_all(stations, ground.estate)
        nodes = [station.node for station in stations]
        with _halted(stations, ground):
            for node in nodes:
                ground.disks.lose_power(node)
            for station in stations:
                station.kill()
        for node in nodes:
            ground.disks.anew(node)
        return _Out(stations, before, {node.name: ground.disks.witnesses(node) for node in nodes})


@contextmanager
def _halted(stations: Sequence[Station], ground: Ground) -> Generator[None]:
    """A block in which none of them does anything: nobody tells that its disk has failed before it goes."""
    for station in stations:
        tell(station, ground.estate, signal.SIGSTOP)
    try:
        yield
    finally:
        for station in stations:  # whoever is left when something failed
            tell(station, ground.estate, signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class _Out:
    stations: Sequence[Station]
    before: Mapping[str, tuple[int, ...]]
    found: Mapping[str, frozenset[str]]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(self.before)

    def took_effect(self) -> Proof:
        """They are gone; of two witnesses on each disk the one that was forced is left."""
        killed = down(self.stations, self.before)
        lost = all(left == KEPT for left in self.found.values())
        words = "; ".join(f"{name} kept what was {_named(left)}" for name, left in self.found.items())
        return Proof(bool(killed) and lost, f"{killed.evidence}; {words}")

    def heal(self) -> None:
        revive(self.stations)

    def healed(self) -> Proof:
        return well(self.stations)


def _named(left: frozenset[str]) -> str:
    return " and ".join(sorted(left)) or "nowhere"
