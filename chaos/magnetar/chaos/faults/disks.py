"""Faults of disks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.faults.fault import Proof
from magnetar.chaos.faults.processes import well

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.profile import Node
    from magnetar.chaos.faults.fault import InForce
    from magnetar.chaos.faults.targets import Target


@dataclass(frozen=True, slots=True)
class FillDisk:
    """Not one more byte can be written to the disks of these: ZooKeepers and bookies have one of their own."""

    target: Target

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"fill the disk of {self.target.title}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`."""
        nodes = self.target.resolve(ground)
        for node in nodes:
            ground.disks.fill(node)
        return _Filled(ground, nodes)


@dataclass(frozen=True, slots=True)
class _Filled:
    ground: Ground
    nodes: Sequence[Node]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(node.name for node in self.nodes)

    def took_effect(self) -> Proof:
        found = {node.name: self.ground.disks.refusal(node) for node in self.nodes}
        return Proof(
            all(found.values()), "; ".join(f"{name}: {said or 'takes writes'}" for name, said in found.items())
        )

    def heal(self) -> None:
        for node in self.nodes:
            self.ground.disks.free(node)

    def healed(self) -> Proof:
        full = [node.name for node in self.nodes if self.ground.disks.refusal(node)]
        return Proof(holds=False, evidence=f"still full: {', '.join(full)}") if full else self._well()

    def _well(self) -> Proof:
        return well([self.ground.station(node) for node in self.nodes])
