"""Plot 8: for each group of keys when something succeeded, and when something waited and nothing did."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from magnetar.chaos.report.figures import counted, seconds
from magnetar.chaos.report.lanes import LANE, natural, side
from magnetar.chaos.report.plot import Plot, placed, stroked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from magnetar.chaos.record.shape import Gap, Point
    from magnetar.chaos.report.clock import Clock

    Stretch = tuple[float, float]

MOST = 32
"""So many groups are drawn, those with the longest gaps first chosen."""
SHOWN = 0.5
"""From so many seconds on a stretch in which nothing succeeded is drawn."""
NAMED = 1.0
"""From so many seconds on a gap has its length beside it."""
_USUAL = 10
_NOTE = (
    "By group of keys. Strong: something was asked for, and for half a second or longer nothing of it succeeded. "
    "Blank: nothing was asked for."
)
_LEGEND = (("cell ok", "served"), ("cell waiting", "waited, and nothing succeeded"), ("bracket", "longest gap"))


def strip(points: Sequence[Point], gaps: Sequence[Gap], clock: Clock) -> Plot:
    """A lane each."""
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(point.group, []).append(point)
    longest = {gap.group: gap for gap in sorted(gaps, key=lambda gap: gap.seconds)}
    chosen = _chosen(groups, longest)
    tall = LANE * max(1, len(chosen))
    strokes: dict[str, list[str]] = {"cell ok": [], "cell waiting": [], "bracket": []}
    over: list[str] = []
    for row, group in enumerate(chosen):
        y = (row + 0.5) * LANE
        strokes["cell ok"].extend(_strokes(served(groups[group]), clock, y))
        strokes["cell waiting"].extend(_strokes(waited(groups[group], clock.end), clock, y))
        if group in longest:
            strokes["bracket"].append(_bracket(longest[group], clock, y))
            over.append(_length(longest[group], clock, y, tall))
    marks = "".join(stroked(some, kind) for kind, some in strokes.items())
    left_out = len(groups) - len(chosen)
    note = _NOTE + (f" {counted(left_out, 'group')} with shorter gaps not drawn." if left_out else "")
    return Plot(
        "availability", "Who was served", _words(gaps), note, marks, None, _LEGEND, "".join(over), side(chosen), tall
    )


def served(points: Sequence[Point]) -> Iterator[Stretch]:
    """From a success to the last one that came no later than usual after the one before it."""
    done = sorted(point.done for point in points if point.outcome == "ok" and point.done is not None)
    steps = [after - before for before, after in pairwise(done)]
    usual = max(1.0, _USUAL * median(steps)) if steps else 1.0
    begin = before = done[0] if done else None
    for at in done:
        if begin is not None and before is not None and at - before > usual:
            yield begin, before
            begin = at
        before = at
    if begin is not None and before is not None:
        yield begin, before


def waited(points: Sequence[Point], end: float) -> Iterator[Stretch]:
    """From when something was asked for, or something else succeeded, to the next success, where that is long.

    What was never answered is asked for when it was meant to begin, and does not wait beyond the next success.
    """
    ordered = sorted(points, key=_turn)
    asked = _asked(ordered)
    success, place = float("-inf"), 0
    for number, point in enumerate(ordered):
        if point.outcome == "ok" and point.done is not None:
            begin = max(success, asked[place])
            if point.done - begin >= SHOWN:
                yield begin, point.done
            success, place = point.done, number + 1
    if place < len(ordered) and end - max(success, asked[place]) >= SHOWN:
        yield max(success, asked[place]), max(end, _until(ordered[-1]))


def _asked(ordered: Sequence[Point]) -> list[float]:
    """For each, when the first of it and those after it was meant to begin."""
    asked: list[float] = []
    for point in reversed(ordered):
        asked.append(min(point.at, asked[-1]) if asked else point.at)
    return asked[::-1]


def _turn(point: Point) -> tuple[float, bool, bool]:
    """At the same instant a success ends what was answered, and not what never was."""
    return _until(point), point.done is None, point.outcome == "ok"


def _until(point: Point) -> float:
    return point.at if point.done is None else point.done


def _chosen(groups: Mapping[str, object], longest: Mapping[str, Gap]) -> list[str]:
    worst = sorted(groups, key=lambda group: (-(longest[group].seconds if group in longest else 0.0), natural(group)))
    return sorted(worst[:MOST], key=natural)


def _strokes(stretches: Iterator[Stretch], clock: Clock, y: float) -> Iterator[str]:
    for begin, end in stretches:
        left, right = clock.x(begin), clock.x(end)
        yield f"M{left:.1f} {y:g}H{max(right, left + 0.5):.1f}"


def _bracket(gap: Gap, clock: Clock, y: float) -> str:
    return f"M{clock.x(gap.begin):.1f} {y + 6:g}v3H{clock.x(gap.end):.1f}v-3"


def _length(gap: Gap, clock: Clock, y: float, tall: float) -> str:
    return placed(seconds(gap.seconds), clock.x(gap.end), y, tall) if gap.seconds >= NAMED else ""


def _words(gaps: Sequence[Gap]) -> str:
    if not gaps:
        return "No gaps are recorded."
    return "; ".join(f"{gap.group}: longest gap {seconds(gap.seconds)}" for gap in gaps[:MOST]) + "."
