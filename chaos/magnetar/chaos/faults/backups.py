"""A backup is kept, and put in place later: what was committed in between never happened, as far as the store knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.faults.fault import Proof
from magnetar.chaos.faults.power import Out
from magnetar.chaos.faults.processes import listed, processes_of, require_all, stations_of, well

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.profile import Node
    from magnetar.chaos.faults.fault import InForce
    from magnetar.chaos.faults.targets import Target

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BackUp:
    """Their disks are copied as they are at one instant, while they work; writes hang for as long as that takes."""

    target: Target

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"back up {self.target.title}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`. Raises `DiskMissing` and `DiskInMemory`."""
        nodes = self.target.resolve(ground)
        return _Kept(ground, {node: ground.disks.keep(node) for node in nodes})


@dataclass(frozen=True, slots=True)
class _Kept:
    ground: Ground
    sizes: Mapping[Node, int]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(node.name for node in self.sizes)

    def took_effect(self) -> Proof:
        words = listed(f"{node.name}: {size // _MEBIBYTE} MiB are kept" for node, size in self.sizes.items())
        return Proof(all(self.sizes.values()), words)

    def heal(self) -> None:
        """A copy does no harm."""

    def healed(self) -> Proof:
        return well([self.ground.station(node) for node in self.sizes])


@dataclass(frozen=True, slots=True)
class GoBack:
    """Killed, and their disks are what they were when they were backed up; they stay down until it is healed."""

    target: Target

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"put {self.target.title} back to its backup"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`. Raises `DiskMissing`, `DiskInMemory` and `BackupMissing`."""
        stations = stations_of(ground, self.target)
        before = processes_of(stations)
        require_all(stations, ground.estate)
        for station in stations:
            ground.disks.require_backup(station.node)
        for station in stations:
            station.kill()
            ground.disks.put_back(station.node)
        older = {station.node.name: ground.disks.is_older(station.node) for station in stations}
        return Out(stations, before, _older(older))


def _older(found: Mapping[str, bool]) -> Proof:
    """Of what was written after the backup a witness is missing."""
    words = listed(f"{name} is {'older' if older else 'as it was'}" for name, older in found.items())
    return Proof(all(found.values()), words)
