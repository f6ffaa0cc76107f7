"""Power: a machine is out from one instant to the next, and what it had not forced to its disk is gone."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.stations import tell
from magnetar.chaos.faults.fault import Proof
from magnetar.chaos.faults.processes import down, listed, processes_of, require_all, revive, stations_of, well

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
        return Out(stations, before, _lost({node.name: ground.disks.witnesses(node) for node in nodes}))


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
class Out:
    """Down until it is healed; `disks`: whether their disks have lost what they were to lose."""

    stations: Sequence[Station]
    before: Mapping[str, tuple[int, ...]]
    disks: Proof

    @property
    def targets(self) -> tuple[str, ...]:
        """See `InForce`."""
        return tuple(self.before)

    def took_effect(self) -> Proof:
        """They are gone, and so is what their disks should have lost."""
        killed = down(self.stations, self.before)
        return Proof(bool(killed) and bool(self.disks), f"{killed.evidence}; {self.disks.evidence}")

    def heal(self) -> None:
        """See `InForce`."""
        revive(self.stations)

    def healed(self) -> Proof:
        """See `InForce`."""
        return well(self.stations)


def _lost(found: Mapping[str, frozenset[str]]) -> Proof:
    """Of two witnesses on each disk the one that was forced is left."""
    words = listed(f"{name} kept what was {_named(left)}" for name, left in found.items())
    return Proof(all(left == KEPT for left in found.values()), words)


def _named(left: frozenset[str]) -> str:
    return " and ".join(sorted(left)) or "nowhere"
