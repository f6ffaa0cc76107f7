"""What keeps a key that waits for the outside: its effects, and a dependency whose queue is full. Pure (R29).

Which dependencies are left alone is what the shard's owner has told with its last heartbeat, a second ago at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.instant import to_datetime
from magnetar.runtime.operate.obstacle import Cause, Obstacle
from magnetar.runtime.store.effects import EffectState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from magnetar.runtime.operate.keys import EffectReport, ParkedReport
    from magnetar.runtime.worker.breaker import LeftAlone


def outside(effects: Sequence[EffectReport], alone: Mapping[str, LeftAlone], now: datetime) -> Iterator[Obstacle]:
    """Of each effect without an outcome, how it stands; `alone` by dependency."""
    for effect in effects:
        if effect.state != EffectState.OPEN and effect.dependency in alone:
            yield _left_alone(effect.dependency, alone[effect.dependency], _stands(effect), effect.due)
        elif effect.state != EffectState.OPEN and effect.attempts:
            yield _asked_again(effect, now)
        else:
            yield _in_flight(effect, now)


def crowded(parked: ParkedReport, alone: Mapping[str, LeftAlone]) -> Iterator[Obstacle]:
    """The key's first message asks for one effect more than a queue holds; whether that moves at all."""
    if parked.held_by in alone:
        waits = "the key's first message waits for room in its queue"
        yield _left_alone(parked.held_by, alone[parked.held_by], waits, None)
    remedies = ["magnetar shards", "call it more often, or give its queue more room: Dependency(rate=…, queue=…)"]
    yield Obstacle(
        Cause.CROWDED,
        f"no room: {parked.error_text}",
        "its first message is tried again, and no attempt is spent",
        parked.since,
        parked.due,
        remedies,
    )


def _left_alone(dependency: str, alone: LeftAlone, waits: str, due: datetime | None) -> Obstacle:
    """Its effect is called by nobody before both the breaker and its own wait have ended."""
    until = to_datetime(alone.until)
    return Obstacle(
        Cause.BREAKER,
        f"too many calls of {dependency} had no answer, so it is left alone; {waits}",
        f"probes try whether {dependency} is back, and then its effects are called",
        since=to_datetime(alone.since),
        at=until if due is None else max(until, due),
        remedies=[f"see why {dependency} does not answer; nothing is to be done here", "magnetar workers"],
    )


def _asked_again(effect: EffectReport, now: datetime) -> Obstacle:
    doubt = "; it may have been done" if effect.doubtful else ""
    what = f"{_name(effect)} has no outcome after {_attempts(effect)}: {effect.error}: {effect.error_text}{doubt}"
    return Obstacle(Cause.ASKED_AGAIN, what, _next(effect, now), effect.asked_at, effect.due, _remedies(effect))


def _in_flight(effect: EffectReport, now: datetime) -> Obstacle:
    """Called, or about to be. Its last attempt counts as unknown when it has had its time."""
    if effect.state != EffectState.OPEN:
        what = f"{_name(effect)} is about to be called"
        return Obstacle(Cause.IN_FLIGHT, what, _next(effect, now), effect.asked_at, effect.due, _remedies(effect))
    what = f"{_name(effect)} is under way, attempt {effect.attempts}"
    then = "its answer is told, or it counts as unknown"
    return Obstacle(Cause.IN_FLIGHT, what, then, effect.asked_at, effect.due, _remedies(effect))


def _next(effect: EffectReport, now: datetime) -> str:
    if effect.due > now:
        return "it is called, under the same key"
    return f"it is called as soon as threads and rate of {effect.dependency} allow"


def _stands(effect: EffectReport) -> str:
    """How an effect stands that waits for a breaker."""
    if not effect.attempts:
        return f"{_simple(effect)} was not called yet"
    doubt = "may have been done" if effect.doubtful else "was not done"
    return f"{_simple(effect)} {doubt}, after {_attempts(effect)}"


def _remedies(effect: EffectReport) -> list[str]:
    return [f"ask {effect.dependency} what it knows of key {effect.idempotency_key}"]


def _attempts(effect: EffectReport) -> str:
    return f"{effect.attempts} attempt{'' if effect.attempts == 1 else 's'}"


def _name(effect: EffectReport) -> str:
    return f"{_simple(effect)} of {effect.dependency}"


def _simple(effect: EffectReport) -> str:
    return effect.type.rpartition(".")[2]
