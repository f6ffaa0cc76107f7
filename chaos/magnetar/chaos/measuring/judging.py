"""Whether a run shows what it should: invalid if something is wrong, unknown if it showed too little, else valid.

Safety counts whatever the machine was like. How long something took, and whether anything succeeded in the midst of a
fault, counts only where the machine had time for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.measuring.figures import progress
from magnetar.chaos.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.chaos.record.shape import Alarm, Blow, Bound, Check, Need, Phase, Point

_MUST_SUCCEED = ("warm-up", "baseline", "recover")
"""Phases in which something that is meant to begin must succeed, else the workload stalled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a run showed. `noticed`: what was wrong at the moment it was seen. `broken`: what kept it from its end."""

    phases: Sequence[Phase]
    blows: Sequence[Blow]
    points: Sequence[Point]
    bounds: Sequence[Bound]
    checks: Sequence[Check]
    needs: Sequence[Need]
    alarms: Sequence[Alarm]
    starved: bool
    noticed: Sequence[str] = ()
    broken: Sequence[str] = ()


def verdict(shown: Shown) -> tuple[Verdict, tuple[str, ...]]:
    """With the reasons, those that decide first."""
    wrong, doubts = list(_wrong(shown)), list(_doubts(shown))
    if wrong:
        return Verdict.INVALID, (*wrong, *doubts)
    return (Verdict.UNKNOWN if doubts else Verdict.VALID), tuple(doubts)


def _wrong(shown: Shown) -> Iterator[str]:
    yield from shown.noticed
    for check in shown.checks:
        if check.verdict is Verdict.INVALID:
            yield f"{check.checker}: {check.counts.get('wrong', 0)} of {check.counts.get('examined', 0)} are wrong"
    if not (shown.starved or shown.broken):
        yield from _late(shown)


def _late(shown: Shown) -> Iterator[str]:
    """What is broken where the machine had time, and shows nothing where it had not."""
    yield from _exceeded(shown.bounds)
    gap = max((bound.allowed for bound in shown.bounds if bound.name == "gap"), default=0.0)
    yield from (words for blow in shown.blows if (words := _stood_still(blow, shown.points, gap)))


def _doubts(shown: Shown) -> Iterator[str]:
    """Non-vacuity: what was not tried was not shown."""
    yield from shown.broken
    if shown.starved:
        yield from (f"the machine had no time to show it: {words}" for words in _late(shown))
    elif shown.broken:
        yield from (f"it ended too early to show it: {words}" for words in _late(shown))
    if not shown.blows:
        yield "no fault was struck"
    for blow in shown.blows:
        yield from _unproven(blow, shown.points)
    yield from _stalled(shown)
    yield from _unfed(shown.checks)
    yield from _missing(shown)


def _stalled(shown: Shown) -> Iterator[str]:
    for phase in shown.phases:
        if phase.name in _MUST_SUCCEED and not progress(shown.points, phase.begin, phase.end):
            yield f"the workload stalled: nothing succeeded in the phase {phase.name}"


def _unfed(checks: Sequence[Check]) -> Iterator[str]:
    if not checks:
        yield "no checker looked"
    for check in checks:
        if check.verdict is Verdict.UNKNOWN:
            yield f"{check.checker}: there was nothing to look at"


def _missing(shown: Shown) -> Iterator[str]:
    for need in shown.needs:
        if need.seen < need.required:
            yield f"{need.text}: {need.seen}, fewer than {need.required}"
    for alarm in shown.alarms:
        if alarm.expected and alarm.seen_at is None:
            yield f"the alarm {alarm.name} was expected and not seen"


def _unproven(blow: Blow, points: Sequence[Point]) -> Iterator[str]:
    if blow.effective is None:
        yield f"{blow.fault}: not proven to have taken effect ({blow.evidence})"
    elif blow.healed is None:
        yield f"{blow.fault}: not proven to be healed ({blow.healed_evidence})"
    elif blow.required and not any(blow.effective <= point.at < blow.healed for point in points):
        yield f"{blow.fault}: nothing was asked of the cluster meanwhile"


def _stood_still(blow: Blow, points: Sequence[Point], gap: float) -> str:
    """What the cluster is made to bear must not stop it; empty if it did not, or that cannot be told.

    Nor can it where a fault was in force for no longer than the `gap` that any group of keys may have: half of the
    workers may be taken over from, and an order needs shards of each.
    """
    if not (blow.required and blow.inside_budget) or blow.effective is None or blow.heal is None:
        return ""
    if blow.heal - blow.effective <= gap:
        return ""
    asked = any(blow.effective <= point.at < blow.heal for point in points)
    if not asked or progress(points, blow.effective, blow.heal):
        return ""
    return f"{blow.fault}: nothing succeeded in the {blow.heal - blow.effective:.1f} s that it was in force"


def _exceeded(bounds: Sequence[Bound]) -> Iterator[str]:
    for bound in bounds:
        if bound.seen is None:
            yield f"{bound.name}: not seen within {bound.allowed:g} s, or at all"
        elif bound.seen > bound.allowed:
            yield f"{bound.name}: {bound.seen:.1f} s, more than {bound.allowed:g} s"
