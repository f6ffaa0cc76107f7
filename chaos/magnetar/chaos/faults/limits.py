"""Faults of a machine that has too little for what runs on it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.cluster import groups
from magnetar.chaos.faults.fault import Proof
from magnetar.chaos.faults.processes import stations_of, well

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.groups import Group
    from magnetar.chaos.cluster.stations import Station
    from magnetar.chaos.faults.fault import InForce
    from magnetar.chaos.faults.targets import Target


@dataclass(frozen=True, slots=True)
class LimitCpu:
    """All processes of each of these get this share of one processor, in every tenth of a second.

    Who is started meanwhile, as by a supervisor, is not held back.
    """

    target: Target
    share: float

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"limit {self.target.title} to {self.share:.0%} of a processor"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`. Raises `LimitsMissing`."""
        stations = stations_of(ground, self.target)
        found: dict[str, Group] = {}
        with ExitStack() as undo:
            for station in stations:
                node = station.node
                found[node.name] = groups.limited(ground.estate, ground.debts, node, station.pids(), self.share)
                undo.callback(found[node.name].leave)
            undo.pop_all()
        return _HeldBack(stations, found)


@dataclass(frozen=True, slots=True)
class _HeldBack:
    stations: Sequence[Station]
    groups: Mapping[str, Group]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(self.groups)

    def took_effect(self) -> Proof:
        """All of it is in its group, and somebody there had to wait."""
        waits = {name: group.held_back() for name, group in self.groups.items()}
        inside = all(
            station.pids() and self.groups[station.node.name].pids() >= set(station.pids()) for station in self.stations
        )
        words = "; ".join(f"{name}: held back {count} times" for name, count in waits.items())
        return Proof(inside and all(waits.values()), words if inside else f"{words}; somebody is not in there")

    def heal(self) -> None:
        for group in self.groups.values():
            group.leave()

    def healed(self) -> Proof:
        left = [name for name, group in self.groups.items() if group.place.exists()]
        return Proof(holds=False, evidence=f"still held back: {', '.join(left)}") if left else well(self.stations)
