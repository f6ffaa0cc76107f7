"""Whom a fault selects: always in one namespace, and there by labels or by the names of pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from magnetar.chaos.scenarios import spec
from magnetar.chaos.staging.lacks import Missed, Why

if TYPE_CHECKING:
    from magnetar.chaos.scenarios.spec import RoleName, Who
    from magnetar.chaos.staging.ground import Ground, Place

Tree: TypeAlias = "Mapping[str, Tree] | Sequence[Tree] | str | int | bool"
"""A part of a manifest."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Pods of one role. `seated`: they were named for the part that they had, not for who they are."""

    role: RoleName
    place: Place
    selector: Mapping[str, Tree]
    seated: bool = False


def aim(who: Who, ground: Ground) -> Aim:
    """Whom it is aimed at. Raises `Missed` where that cannot be said."""
    if who.named is not None:
        return _named(who.named, ground)
    if who.every is None:
        return _seated(who, ground)
    place = _place(who.every, ground)
    if who.count is None:
        return Aim(who.every, place, _of_labels(place.labels, ground))
    return Aim(who.every, place, _of_pods([_pod(who.every, place, number) for number in range(who.count)], ground))


def everybody(ground: Ground) -> Mapping[str, Tree]:
    """All pods of the namespace."""
    return {"mode": "all", "selector": {"namespaces": [ground.namespace]}}


def _named(names: Sequence[str], ground: Ground) -> Aim:
    """By the names of a cluster of one's own: `broker-2` is the second pod of the brokers, `store` every store."""
    parted = [name.partition("-") for name in names]
    if len({word for word, _, _ in parted}) != 1:
        raise Missed(Why.MIXED, ", ".join(names))
    if (word := parted[0][0]) not in spec.ROLES:
        raise Missed(Why.NO_PLACE, ", ".join(names))
    role = cast("RoleName", word)
    place = _place(role, ground)
    if any(not number for _, _, number in parted):
        return Aim(role, place, _of_labels(place.labels, ground))
    if not all(number.isdecimal() and int(number) for _, _, number in parted):
        raise Missed(Why.NO_PLACE, ", ".join(names))
    return Aim(role, place, _of_pods([_pod(role, place, int(number) - 1) for _, _, number in parted], ground))


def _seated(who: Who, ground: Ground) -> Aim:
    """By a part that only the running cluster gives: whoever was seen to have it."""
    role, part = _part(who)
    pods = ground.seats.get(part, ())
    wanted = (who.count or 1) if who.bookies_of is not None else 1
    if len(pods) < wanted:
        raise Missed(Why.NOT_KNOWN, f"{part}, {wanted} wanted, {len(pods)} named")
    return Aim(role, _place(role, ground), _of_pods(pods[:wanted], ground), seated=True)


def _part(who: Who) -> tuple[RoleName, str]:
    """Which role, and the name of the part, as `--seat` takes it."""
    if who.broker_of is not None:
        return "broker", f"broker-of:{who.broker_of}"
    if who.bookies_of is not None:
        return "bookie", f"bookies-of:{who.bookies_of}"
    if who.worker_of is not None:
        return "worker", f"worker-of:{who.worker_of}"
    return "zookeeper", f"leader:{who.leader}"


def _place(role: RoleName, ground: Ground) -> Place:
    place = ground.charts.roles.get(role)
    if place is None:
        raise Missed(Why.NO_PLACE, role)
    return place


def _pod(role: RoleName, place: Place, number: int) -> str:
    if place.pods is None:
        raise Missed(Why.NO_NUMBERS, role)
    return f"{place.pods}-{number}"


def _of_labels(labels: Mapping[str, str], ground: Ground) -> Mapping[str, Tree]:
    return {"mode": "all", "selector": {"namespaces": [ground.namespace], "labelSelectors": dict(labels)}}


def _of_pods(pods: Sequence[str], ground: Ground) -> Mapping[str, Tree]:
    """By name: Chaos Mesh looks at nothing else then, so the namespace stands with the names."""
    selector: Mapping[str, Tree] = {"namespaces": [ground.namespace], "pods": {ground.namespace: [*pods]}}
    return {"mode": "all", "selector": selector}
