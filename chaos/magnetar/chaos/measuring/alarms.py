"""Which alarms somebody would have been woken by: conditions of `deploy/prometheus`, by the looks at a run.

How long a condition must hold before somebody is woken is not asked: a run is shorter than most of these times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from magnetar.chaos.record.shape import Alarm

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from magnetar.chaos.record.shape import Sample


class _Condition(NamedTuple):
    sample: str
    holds: Literal["above zero", "zero", "rises"]


ALARMS: Mapping[str, _Condition] = {
    "MagnetarShardUnowned": _Condition("shards/unowned", "above zero"),
    "MagnetarNoWorker": _Condition("workers", "zero"),
    "MagnetarCommitRefused": _Condition("metric/refused commits", "rises"),
    "MagnetarCommitUnknown": _Condition("metric/unknown commits", "rises"),
    "MagnetarStoreWentBack": _Condition("metric/went back", "rises"),
    "MagnetarDeadLetters": _Condition("metric/dead letters", "rises"),
    "MagnetarCrashes": _Condition("metric/crashes", "rises"),
    "MagnetarDestinationBlocked": _Condition("metric/blocked destinations", "above zero"),
}


def alarms(samples: Iterable[Sample], expected: Collection[str]) -> list[Alarm]:
    """Those that were expected, and those that were seen."""
    looks: dict[str, list[Sample]] = {}
    for sample in samples:
        looks.setdefault(sample.name, []).append(sample)
    seen = {name: _first(condition, looks.get(condition.sample, [])) for name, condition in ALARMS.items()}
    return [Alarm(name, name in expected, at) for name, at in seen.items() if name in expected or at is not None]


def _first(condition: _Condition, looks: list[Sample]) -> float | None:
    """When it first held."""
    for look in looks:
        if _holds(condition, look.value, looks[0].value):
            return look.at
    return None


def _holds(condition: _Condition, value: float, first: float) -> bool:
    if condition.holds == "zero":
        return value <= 0
    return value > (first if condition.holds == "rises" else 0.0)
