"""Turns what a scenario does into faults."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from magnetar.chaos.faults import (
    backups,
    clocks,
    disks,
    fleets,
    limits,
    links,
    points,
    power,
    processes,
    provider,
    rates,
    rot,
    topics,
)
from magnetar.chaos.faults.links import Ways
from magnetar.chaos.faults.targets import BookiesOf, BrokerOf, Every, Leader, Named, WorkerOf
from magnetar.chaos.scenarios import spec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from magnetar.chaos.faults.fault import Fault
    from magnetar.chaos.faults.targets import Target
    from magnetar.chaos.scenarios.spec import Deed, Who


_SIMPLE: Mapping[type[spec.Simple], Callable[[Target], Fault]] = MappingProxyType(
    {
        spec.Kill: processes.Kill,
        spec.Pause: processes.Pause,
        spec.Restart: processes.Restart,
        spec.LosePower: power.LosePower,
        spec.FillDisk: disks.FillDisk,
        spec.FreezeDisk: disks.FreezeDisk,
        spec.FailDisk: disks.FailDisk,
        spec.RotDisk: rot.RotDisk,
        spec.BackUp: backups.BackUp,
        spec.GoBack: backups.GoBack,
    }
)
_OF_TOPICS: Mapping[type[spec.OfTopic], Callable[[str, str], Fault]] = MappingProxyType(
    {spec.Unload: topics.Unload, spec.Split: topics.Split, spec.Seek: topics.Seek}
)


def fault_of(deed: Deed, turn: int = 0) -> Fault:  # noqa: C901, PLR0911 - one case per kind of fault
    """What to strike; `turn`: of a fault that is repeated, from 0."""
    match deed:
        case spec.Crash():
            return points.Crash(target_of(deed.who), deed.points[turn % len(deed.points)], deed.nth)
        case spec.Cut():
            return links.Cut(target_of(deed.who), target_of(deed.other), Ways[deed.ways.upper()])
        case spec.Isolate():
            return links.Isolate(target_of(deed.who), Ways[deed.ways.upper()])
        case spec.Reset():
            return links.Reset(target_of(deed.who), target_of(deed.other))
        case spec.SecondFleet():
            return fleets.SecondFleet()
        case spec.LimitRate():
            return rates.LimitRate(target_of(deed.who), deed.kilobits)
        case spec.JumpClock():
            return clocks.JumpClock(target_of(deed.who), deed.seconds)
        case spec.LimitCpu():
            return limits.LimitCpu(target_of(deed.who), deed.share)
        case spec.Misbehave():
            return provider.Misbehave(deed.rates, deed.slow)
        case spec.Unload() | spec.Split() | spec.Seek():
            return _OF_TOPICS[type(deed)](*_parts(deed.key.replace("{turn}", str(turn))))
        case _:
            return _SIMPLE[type(deed)](target_of(deed.who))


def target_of(who: Who) -> Target:
    """Whom it is aimed at."""
    if who.named is not None:
        return Named(who.named)
    if who.every is not None:
        return Every(spec.ROLES[who.every], who.count)
    if who.broker_of is not None:
        return BrokerOf(*_parts(who.broker_of))
    if who.bookies_of is not None:
        return BookiesOf(*_parts(who.bookies_of), who.count or 1)
    return Leader() if who.worker_of is None else WorkerOf(who.worker_of)


def _parts(key: str) -> tuple[str, str]:
    topic, _, name = key.partition("/")
    return topic, name
