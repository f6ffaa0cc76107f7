"""Faults of topics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.cluster import levers, parts
from magnetar.chaos.cluster.errors import NoOwner
from magnetar.chaos.faults.fault import Proof
from magnetar.chaos.measuring.figures import FEW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.levers import Taking
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
        levers.unload(ground, name)
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
        return _owned(self.ground, self.topic)


@dataclass(frozen=True, slots=True)
class Split:
    """The bundle that the partition of a key is in is made into two: its topics are let go of, and shared anew."""

    topic: str
    key: str

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"split the bundle of {self.topic}/{self.key}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`."""
        name = parts.topic_of(ground, self.topic, self.key)
        before = levers.bundle(ground, name)
        levers.split(ground, name)
        return _Split(ground, name, before)


@dataclass(frozen=True, slots=True)
class _Split:
    ground: Ground
    topic: str
    before: str

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.topic,)

    def took_effect(self) -> Proof:
        """It is in a part of the bundle that it was in."""
        try:
            now = levers.bundle(self.ground, self.topic)
        except NoOwner as problem:
            return Proof(holds=False, evidence=str(problem))
        return Proof(is_part(now, self.before), f"its bundle was {self.before} and is {now}")

    def heal(self) -> None:
        """It is over."""

    def healed(self) -> Proof:
        return _owned(self.ground, self.topic)


def is_part(one: str, other: str) -> bool:
    """Whether a bundle is a part of another one, and not all of it; each as `0x00000000_0x40000000`."""
    (low, high), (lowest, highest) = (tuple(int(end, 16) for end in each.split("_")) for each in (one, other))
    return lowest <= low < high <= highest and high - low < highest - lowest


def _owned(ground: Ground, topic: str) -> Proof:
    """Whoever is said to have it has opened it as well: a lookup names one who has not begun to."""
    try:
        parts.ledger(ground, topic)
        return Proof(holds=True, evidence=f"{parts.owner(ground, topic).name} has it")
    except NoOwner as problem:
        return Proof(holds=False, evidence=str(problem))


@dataclass(frozen=True, slots=True)
class Seek:
    """Whoever takes the partition of a key gets all of it again, from the first that is kept, while he works."""

    topic: str
    key: str

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"seek {self.topic}/{self.key} to the earliest"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`."""
        name = parts.topic_of(ground, self.topic, self.key)
        takers = ground.wiring.topics[self.topic].subscriptions
        before = {taker: levers.taking(ground, name, taker) for taker in takers}
        for taker in takers:
            levers.rewind(ground, name, taker)
        return _Sought(ground, name, before)


@dataclass(frozen=True, slots=True)
class _Sought:
    ground: Ground
    topic: str
    before: Mapping[str, tuple[int, Taking]]

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.topic,)

    def took_effect(self) -> Proof:
        """More is handed out than has come: by then nothing waited that would account for it."""
        try:
            again = {taker: self._again(taker) for taker in self.before}
        except NoOwner as problem:
            return Proof(holds=False, evidence=str(problem))
        words = "; ".join(f"{taker} got {count} again" for taker, count in again.items())
        return Proof(bool(again) and all(count > 0 for count in again.values()), words or "nobody takes it")

    def _again(self, taker: str) -> int:
        came_before, then = self.before[taker]
        came, now = levers.taking(self.ground, self.topic, taker)
        return (now.handed - then.handed) - (came - came_before) - then.waiting

    def heal(self) -> None:
        """It is over."""

    def healed(self) -> Proof:
        """All that came again has been acknowledged again."""
        try:
            waiting = sum(levers.taking(self.ground, self.topic, taker)[1].waiting for taker in self.before)
        except NoOwner as problem:
            return Proof(holds=False, evidence=str(problem))
        return Proof(waiting <= FEW, f"{waiting} wait")
