"""Strikes a fault, waits for its proofs, and always heals it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.errors import NoOwner
from magnetar.chaos.faults.fault import Proof

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.faults.fault import Fault, InForce
    from magnetar.runtime.instant import Instant

AIM_SECONDS = 10.0
EFFECT_SECONDS = 10.0
HEALED_SECONDS = 60.0
_POLL_SECONDS = 0.1


@dataclass(slots=True)
class Blow:
    """One fault from its strike to its proven end: a coloured band of the report. Instants are this machine's clock.

    `effective` and `well` are when the proofs held; None for one that never did, which makes a run unknown.
    """

    title: str
    targets: tuple[str, ...]
    struck: Instant
    effect: Proof
    effective: Instant | None = None
    healing: Instant | None = None
    health: Proof | None = None
    well: Instant | None = None

    @property
    def proven(self) -> bool:
        """Whether it took effect and was healed, both seen."""
        return self.effective is not None and self.well is not None


@contextmanager
def struck(
    fault: Fault,
    ground: Ground,
    *,
    aim_within: float = AIM_SECONDS,
    effect_within: float = EFFECT_SECONDS,
    healed_within: float = HEALED_SECONDS,
) -> Generator[Blow]:
    """Strike, wait for the proof, and after the block heal and wait for that proof; the block runs in any case.

    Raises what `inject` and `heal` raise; `NoOwner` only when nobody has been found for as long as `aim_within`. A
    fault that strikes several and fails on the way leaves what it has done to the janitor: the run is over.
    """
    began, force = _aimed(fault, ground, aim_within)
    blow = Blow(fault.title, force.targets, began, Proof(holds=False, evidence="nobody has looked"))
    try:
        blow.effect, blow.effective = _awaited(force.took_effect, effect_within)
        yield blow
    finally:
        blow.healing = now()
        force.heal()
        blow.health, blow.well = _awaited(force.healed, healed_within)


def now() -> Instant:
    """This machine's clock, which is every node's."""
    return time.time_ns() // 1000


def _aimed(fault: Fault, ground: Ground, within: float) -> tuple[Instant, InForce]:
    """When it was struck, and what is in force: a topic between two brokers has no owner, for a moment."""
    deadline = time.monotonic() + within
    while True:
        began = now()
        try:
            return began, fault.inject(ground)
        except NoOwner:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_POLL_SECONDS)


def _awaited(look: Callable[[], Proof], within: float) -> tuple[Proof, Instant | None]:
    """The first proof that holds and when it did, or the last that does not."""
    deadline = time.monotonic() + within
    while not (proof := look()):
        if time.monotonic() >= deadline:
            return proof, None
        time.sleep(_POLL_SECONDS)
    return proof, now()
