"""Faults of topics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.cluster import parts
from magnetar.chaos.cluster.errors import NoOwner
from magnetar.chaos.faults.fault import Proof

if TYPE_CHECKING:
    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.faults.fault import InForce


@dataclass(frozen=True, slots=True)
class Unload:
    """The broker lets go of the partition of a key, as when load is shed: all of its clients come again."""

    topic: str
    key: str

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"unload {self.topic}/{self.key}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`."""
        name = parts.topic_of(ground, self.topic, self.key)
        before = parts.ledger(ground, name).number
        parts.unload(ground, name)
        return _Unloaded(ground, name, before)


@dataclass(frozen=True, slots=True)
class _Unloaded:
    ground: Ground
    topic: str
    before: int

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.topic,)

    def took_effect(self) -> Proof:
        """Whoever loads a topic writes to a new ledger."""
        try:
            now = parts.ledger(self.ground, self.topic).number
        except NoOwner as problem:
            return Proof(holds=False, evidence=str(problem))
        return Proof(now != self.before, f"its ledger was {self.before} and is {now}")

    def heal(self) -> None:
        """It is over."""

    def healed(self) -> Proof:
        try:
            return Proof(holds=True, evidence=f"{parts.owner(self.ground, self.topic).name} has it")
        except NoOwner as problem:
            return Proof(holds=False, evidence=str(problem))
