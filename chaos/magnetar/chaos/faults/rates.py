"""Faults of the network that is there, and slow."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.cluster import throttle
from magnetar.chaos.faults.fault import Proof

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.profile import Node
    from magnetar.chaos.faults.fault import InForce
    from magnetar.chaos.faults.targets import Target

_SLACK = 1.25
"""What is measured may be so much more than what was asked for."""
_WIDE = 4.0
"""Healed is what lets through so many times as much."""


@dataclass(frozen=True, slots=True)
class LimitRate:
    """So many kilobits a second come through to each of these from all others together, and as many back."""

    target: Target
    kilobits: int

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"limit {self.target.title} to {self.kilobits} kbit/s"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`."""
        nodes = self.target.resolve(ground)
        with ExitStack() as undo:
            for node in nodes:
                throttle.narrow(ground.estate, node, self.kilobits)
                undo.callback(throttle.widen, ground.estate, node)
            undo.pop_all()
        return _Limited(ground, nodes, self.kilobits)


@dataclass(frozen=True, slots=True)
class _Limited:
    ground: Ground
    nodes: Sequence[Node]
    kilobits: int

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(node.name for node in self.nodes)

    def took_effect(self) -> Proof:
        """By what comes through of something that is sent to try it."""
        found = self._flows()
        return Proof(all(0 < rate <= self.kilobits * _SLACK for flow in found.values() for rate in flow), _told(found))

    def heal(self) -> None:
        for node in self.nodes:
            throttle.widen(self.ground.estate, node)

    def healed(self) -> Proof:
        found = self._flows()
        return Proof(all(rate >= self.kilobits * _WIDE for flow in found.values() for rate in flow), _told(found))

    def _flows(self) -> dict[str, tuple[float, float]]:
        return {node.name: throttle.flow(self.ground.switch, node, self.kilobits) for node in self.nodes}


def _told(flows: dict[str, tuple[float, float]]) -> str:
    return "; ".join(f"{name}: {into:.0f} kbit/s in, {out:.0f} out" for name, (into, out) in flows.items())
