"""How long things took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.parking.judging import percentile
from magnetar.chaos.record.shape import PHASES, Gap, Latency, Pressure
from magnetar.chaos.takeover import gaps as waiting
from magnetar.chaos.takeover.gaps import Passed
from magnetar.runtime.instant import SECOND

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from magnetar.chaos.record.shape import Blow, Phase, Point, Sample

WINDOW = 10.0
"""Seconds of a stretch that shows that all goes as before."""
_STEP = 0.25
_SUCCEEDS, _KEEPS_UP, _SLOWER, _AS_FAST = 0.99, 0.9, 3.0, 0.25
_LOOKS = 3
"""So many looks in a row without more of a backlog than usual."""
FEW = 20
"""So many messages are on their way at any time, and wait for nobody: a second of the usual load."""


def latency(point: Point) -> float:
    """From the intended start, for one that is done."""
    assert point.done is not None, f"{point.key} is not done"
    return max(0.0, point.done - point.at)


def latencies(points: Iterable[Point]) -> list[Latency]:
    """Of each phase in which something that succeeded began."""
    found: list[Latency] = []
    by_phase: dict[str, list[float]] = {}
    for point in points:
        if point.outcome == "ok":
            by_phase.setdefault(point.phase, []).append(latency(point))
    for phase in PHASES:
        some = by_phase.get(phase)
        if some:
            p50, p95, p99 = (percentile(some, share) for share in (50, 95, 99))
            found.append(Latency(phase, len(some), p50, p95, p99, max(some)))
    return found


def gaps(points: Iterable[Point], begin: float, end: float) -> list[Gap]:
    """The longest of each group that overlaps a stretch, longest first."""
    passed = [
        Passed(point.group, round(point.at * SECOND), round(point.done * SECOND))
        for point in points
        if point.outcome == "ok" and point.done is not None
    ]
    found: list[Gap] = []
    for group, some in waiting.gaps(passed).items():
        inside = [each for each in some if each.begin < end * SECOND and each.end > begin * SECOND]
        if inside:
            worst = max(inside, key=lambda each: each.end - each.begin)
            found.append(Gap(group, (worst.end - worst.begin) / SECOND, worst.begin / SECOND, worst.end / SECOND))
    return sorted(found, key=lambda gap: -gap.seconds)


def failover(points: Iterable[Point], groups: Collection[str], effective: float, until: float) -> float | None:
    """From the proof of effect until each of these groups had succeeded in something that was meant after it.

    None if one of them did not before the fault was healed, or nothing was asked of any.
    """
    first: dict[str, float | None] = {}
    for point in points:
        if point.group in groups and effective <= point.at < until:
            before = first.setdefault(point.group, None)
            if point.outcome == "ok" and point.done is not None and point.done <= until:
                first[point.group] = point.done if before is None else min(before, point.done)
    ends = list(first.values())
    if not ends or any(end is None for end in ends):
        return None
    return max(end for end in ends if end is not None) - effective


def over(blows: Iterable[Blow]) -> float | None:
    """The last proof of health, and of effect of what stays: from here on nothing more is done to the cluster."""
    ends = [blow.effective if blow.stays else blow.healed for blow in blows]
    return max((end for end in ends if end is not None), default=None)


def recovery(points: Sequence[Point], healed: float, end: float) -> float | None:
    """From the last proof of health to the first stretch of 10 s in which all goes as in the baseline.

    That is: 99 % succeed, 90 % of what is meant meanwhile is done meanwhile, and the 99th percentile is at most three
    times the baseline's, or 0.25 s. `end`: of the load. None if there is no such stretch.
    """
    baseline = [latency(point) for point in points if point.phase == "baseline" and point.outcome == "ok"]
    if not baseline:
        return None
    allowed = max(_SLOWER * percentile(baseline, 99), _AS_FAST)
    begin = healed
    while begin + WINDOW <= end:
        if _is_as_before(points, begin, allowed):
            return begin - healed
        begin += _STEP
    return None


def _is_as_before(points: Iterable[Point], begin: float, allowed: float) -> bool:
    end = begin + WINDOW
    meant = [point for point in points if begin <= point.at < end]
    done = [point for point in meant if point.outcome == "ok"]
    if not meant or len(done) < _SUCCEEDS * len(meant):
        return False
    kept = sum(point.done is not None and point.done < end + allowed for point in done)
    return kept >= _KEEPS_UP * len(meant) and percentile(map(latency, done), 99) <= allowed


def drain(samples: Iterable[Sample], baseline: Phase, healed: float) -> float | None:
    """From the last proof of health until no more than in the baseline, or a few, were waiting, for three looks."""
    waits = [sample for sample in samples if sample.name == "backlog/all"]
    usual = max([FEW, *(each.value for each in waits if baseline.begin <= each.at <= baseline.end)])
    after = [each for each in waits if each.at >= healed]
    for at in range(len(after) - _LOOKS + 1):
        if all(each.value <= usual for each in after[at : at + _LOOKS]):
            return after[at].at - healed
    return None


def pressures(samples: Iterable[Sample], phases: Iterable[Phase]) -> list[Pressure]:
    """The mean of each phase, of shares that were looked at about each second."""
    looks = [sample for sample in samples if sample.name == "pressure/cpu"]
    found: list[Pressure] = []
    for phase in phases:
        inside = [each.value for each in looks if phase.begin <= each.at <= phase.end]
        if inside:
            found.append(Pressure(phase.name, sum(inside) / len(inside)))
    return found


def progress(points: Iterable[Point], begin: float, end: float) -> int:
    """How much succeeded in a stretch, of what was meant in it."""
    return sum(
        point.outcome == "ok" and begin <= point.at and point.done is not None and point.done <= end for point in points
    )


def offered(points: Iterable[Point], phases: Mapping[str, Phase]) -> float:
    """Operations a second in the baseline."""
    phase = phases["baseline"]
    return sum(phase.begin <= point.at < phase.end for point in points) / max(0.001, phase.end - phase.begin)
