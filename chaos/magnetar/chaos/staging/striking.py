"""What a fault of a scenario is as faults of Chaos Mesh, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from magnetar.chaos.scenarios import spec
from magnetar.chaos.staging.aiming import aim, everybody
from magnetar.chaos.staging.lacks import Missed, Otherwise, Why

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.chaos.scenarios.spec import Deed, Who
    from magnetar.chaos.staging.aiming import Aim, Tree
    from magnetar.chaos.staging.ground import Ground

Kind: TypeAlias = Literal["PodChaos", "NetworkChaos", "IOChaos"]

HEAD = 2.0
"""Seconds that Chaos Mesh is given to strike; what is in force for less might never be."""
_HELD = 5.0
"""From so many seconds on, a pod is kept down: to exchange its image and back takes some."""
_NO_ROOM = 28
"""ENOSPC."""
_DIRECTIONS = {"both": "both", "there": "to", "back": "from"}


@dataclass(frozen=True, slots=True)
class Blow:
    """One fault of Chaos Mesh: `seconds` in force, above 0; `word` is part of its name."""

    word: str
    kind: Kind
    spec: Mapping[str, Tree]
    seconds: float


@dataclass(frozen=True, slots=True)
class Struck:
    """What a fault becomes: at least one blow, and how it differs."""

    blows: tuple[Blow, ...]
    otherwise: tuple[Otherwise, ...]


_WHY_NOT: Mapping[type[Deed], Why] = MappingProxyType(
    {
        spec.Pause: Why.NO_STOP,
        spec.SecondFleet: Why.NO_FLEET,
        spec.Crash: Why.NO_POINTS,
        spec.Restart: Why.NO_ORDER,
        spec.Reset: Why.NO_RESET,
        spec.Unload: Why.NO_ADMIN,
        spec.Split: Why.NO_ADMIN,
        spec.Seek: Why.NO_ADMIN,
        spec.LosePower: Why.NO_POWER,
        spec.RotDisk: Why.NOT_RENDERED,
        spec.BackUp: Why.NO_BACKUP,
        spec.GoBack: Why.NO_BACKUP,
        spec.FreezeDisk: Why.NOT_RENDERED,
        spec.FailDisk: Why.NOT_RENDERED,
        spec.LimitRate: Why.NOT_RENDERED,
        spec.JumpClock: Why.NOT_RENDERED,
        spec.LimitCpu: Why.NOT_RENDERED,
        spec.Misbehave: Why.NO_SHARES,
    }
)


def struck(deed: Deed, ground: Ground, seconds: float) -> Struck:
    """For so many `seconds`, or as long as it must be at the least. Raises `Missed` where it cannot be done."""
    seconds = max(seconds, HEAD)
    match deed:
        case spec.Kill():
            return _killed(aim(deed.who, ground), seconds)
        case spec.Cut():
            return _cut(deed.who, deed.other, deed.ways, ground, seconds)
        case spec.Isolate():
            return _isolated(deed.who, deed.ways, ground, seconds)
        case spec.FillDisk():
            return _filled(aim(deed.who, ground), seconds)
        case _:
            raise Missed(_WHY_NOT[type(deed)])


def _killed(whom: Aim, seconds: float) -> Struck:
    """SIGKILL first: what keeps a pod down would stop it in order."""
    kill = Blow(
        "kill",
        "PodChaos",
        {"action": "container-kill", "containerNames": [whom.place.container], **whom.selector},
        HEAD,
    )
    if seconds < HEAD + _HELD:
        return Struck((kill,), (Otherwise.SOON_BACK, *_seated(whom)))
    down = Blow("down", "PodChaos", {"action": "pod-failure", **whom.selector}, seconds - HEAD)
    return Struck((kill, down), (Otherwise.STARTED_AGAIN, *_seated(whom)))


def _cut(who: Who, other: Who, ways: str, ground: Ground, seconds: float) -> Struck:
    near, far = aim(who, ground), aim(other, ground)
    blow = _parted(near.selector, far.selector, ways, seconds)
    return Struck((blow,), (Otherwise.SEEN_AT_STRIKE, *_seated(near, far)))


def _isolated(who: Who, ways: str, ground: Ground, seconds: float) -> Struck:
    near = aim(who, ground)
    blow = _parted(near.selector, everybody(ground), ways, seconds)
    return Struck((blow,), (Otherwise.SEEN_AT_STRIKE, Otherwise.IN_NAMESPACE, *_seated(near)))


def _parted(near: Mapping[str, Tree], far: Mapping[str, Tree], ways: str, seconds: float) -> Blow:
    parted: Mapping[str, Tree] = {"action": "partition", "direction": _DIRECTIONS[ways], **near, "target": far}
    return Blow("cut", "NetworkChaos", parted, seconds)


def _filled(whom: Aim, seconds: float) -> Struck:
    if whom.place.volume is None:
        raise Missed(Why.NO_VOLUME, whom.role)
    full: Mapping[str, Tree] = {
        "action": "fault",
        "errno": _NO_ROOM,
        "methods": ["write", "create", "mkdir"],
        "percent": 100,
        "volumePath": whom.place.volume,
        "containerNames": [whom.place.container],
        **whom.selector,
    }
    return Struck((Blow("full", "IOChaos", full, seconds),), (Otherwise.ROOM_IS_TOLD, *_seated(whom)))


def _seated(*whom: Aim) -> tuple[Otherwise, ...]:
    return (Otherwise.SAT_BEFORE,) if any(each.seated for each in whom) else ()
