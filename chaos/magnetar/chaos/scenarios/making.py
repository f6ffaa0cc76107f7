"""Turns what a scenario does into faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.faults import disks, links, power, processes, provider, topics
from magnetar.chaos.faults.links import Ways
from magnetar.chaos.faults.targets import BookiesOf, BrokerOf, Every, Leader, Named, WorkerOf
from magnetar.chaos.scenarios import spec

if TYPE_CHECKING:
    from magnetar.chaos.faults.fault import Fault
    from magnetar.chaos.faults.targets import Target
    from magnetar.chaos.scenarios.spec import Deed, Who


def fault_of(deed: Deed, turn: int = 0) -> Fault:  # noqa: C901, PLR0911 - one case per kind of fault
    """What to strike; `turn`: of a fault that is repeated, from 0."""
    match deed:
        case spec.Kill():
            return processes.Kill(target_of(deed.who))
        case spec.Pause():
            return processes.Pause(target_of(deed.who))
        case spec.Restart():
            return processes.Restart(target_of(deed.who))
        case spec.Cut():
            return links.Cut(target_of(deed.who), target_of(deed.other), Ways[deed.ways.upper()])
        case spec.Isolate():
            return links.Isolate(target_of(deed.who), Ways[deed.ways.upper()])
        case spec.Reset():
            return links.Reset(target_of(deed.who), target_of(deed.other))
        case spec.Unload():
            return topics.Unload(*_parts(deed.key.replace("{turn}", str(turn))))
        case spec.FillDisk():
            return disks.FillDisk(target_of(deed.who))
        case spec.FreezeDisk():
            return disks.FreezeDisk(target_of(deed.who))
        case spec.FailDisk():
            return disks.FailDisk(target_of(deed.who))
        case spec.LosePower():
            return power.LosePower(target_of(deed.who))
        case spec.Misbehave():
            return provider.Misbehave(deed.rates, deed.slow)


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
