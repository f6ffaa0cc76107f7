"""Faults of wall clocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.clocks import store_ahead, web_ahead
from magnetar.chaos.cluster.errors import ClockFixed
from magnetar.chaos.cluster.stations import StoreStation, WorkerStation
from magnetar.chaos.faults.fault import Proof
from magnetar.chaos.faults.processes import stations_of, well
from magnetar.runtime.servers.postgres_making import packaged_postgres

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.stations import Station
    from magnetar.chaos.faults.fault import InForce
    from magnetar.chaos.faults.targets import Target

_SLACK = 2.0
"""Seconds: dates of answers are whole ones, and an answer takes its time."""


@dataclass(frozen=True, slots=True)
class JumpClock:
    """The wall clocks of these are so many seconds ahead, or behind; when it is healed, they jump back."""

    target: Target
    seconds: float

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"clock of {self.target.title} jumps by {self.seconds:+g} s"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`. Raises `ClockFixed`."""
        stations = stations_of(ground, self.target)
        for station in stations:
            ground.clocks.jump(station.node, self.seconds)
        return _Jumped(ground, stations, self.seconds)


@dataclass(frozen=True, slots=True)
class _Jumped:
    ground: Ground
    stations: Sequence[Station]
    seconds: float

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(station.node.name for station in self.stations)

    def took_effect(self) -> Proof:
        """By what each says itself that the time is."""
        return self._are(self.seconds)

    def heal(self) -> None:
        for station in self.stations:
            self.ground.clocks.jump(station.node, 0.0)

    def healed(self) -> Proof:
        proof = self._are(0.0)
        return well(self.stations) if proof else proof

    def _are(self, wanted: float) -> Proof:
        try:
            found = {station.node.name: ahead(station) for station in self.stations}
        except OSError as problem:  # it was restarted meanwhile, and is not there yet
            return Proof(holds=False, evidence=str(problem))
        words = "; ".join(f"{name}: {seconds:+.1f} s" for name, seconds in found.items())
        return Proof(all(abs(seconds - wanted) <= _SLACK for seconds in found.values()), words)


def ahead(station: Station) -> float:
    """How many seconds it says that it is ahead of this machine. Raises `ClockFixed`, `CommandFailed`, `OSError`."""
    if isinstance(station, StoreStation):
        home, _ = packaged_postgres()
        return store_ahead(home / "bin" / "psql", station.server.service_url)
    if not isinstance(station, WorkerStation):
        raise ClockFixed(station.node.name, "only workers and the store tell what time it is")
    worker = station.crew.workers.get(station.node.number)
    if worker is None:
        raise OSError(f"{station.node.name} is down")
    return web_ahead(f"http://{worker.berth.listen}/metrics")
