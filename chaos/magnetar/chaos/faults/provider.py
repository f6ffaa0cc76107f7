"""Faults of the payment provider: it is there, and does not do what it should."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.actors.providing.emulator.conduct import Conduct
from magnetar.chaos.cluster.errors import NodeMissing
from magnetar.chaos.cluster.profile import Role
from magnetar.chaos.cluster.stations import ProviderStation
from magnetar.chaos.faults.fault import Proof
from magnetar.chaos.faults.processes import well

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.actors.providing.emulator.conduct import Manner
    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.faults.fault import InForce


@dataclass(frozen=True, slots=True)
class Misbehave:
    """So many of its questions are answered otherwise than they should; `seconds`: how slow it is when it is slow."""

    rates: Mapping[Manner, float]
    seconds: float

    @property
    def title(self) -> str:
        """See `Fault`."""
        told = ", ".join(f"{manner.value} {share:.0%}" for manner, share in sorted(self.rates.items()))
        return f"the provider misbehaves: {told}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`. Raises `httpx2.HTTPError` if it does not listen."""
        (node,) = ground.profile.of(Role.PROVIDER)
        station = ground.station(node)
        if not isinstance(station, ProviderStation):
            raise NodeMissing(node.name, tuple(ground.stations))
        conduct = Conduct(rates=dict(self.rates), seconds=self.seconds)
        before = len(station.process.entries())
        station.process.behave(conduct)
        return _Misbehaving(station, conduct, before)


@dataclass(frozen=True, slots=True)
class _Misbehaving:
    station: ProviderStation
    conduct: Conduct
    before: int

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.station.node.name,)

    def took_effect(self) -> Proof:
        """It says that it behaves so, and it was asked for something since."""
        told, asked = self.station.process.conduct(), len(self.station.process.entries()) - self.before
        return Proof(told == self.conduct and asked > 0, f"it says so itself; {asked} new entries in its log")

    def heal(self) -> None:
        self.station.process.behave(Conduct())

    def healed(self) -> Proof:
        if self.station.process.conduct() != Conduct():
            return Proof(holds=False, evidence="it still says that it misbehaves")
        return well([self.station])
