"""How long operations took: each as a mark, and their quantiles over time."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from magnetar.chaos.report.clock import WIDE
from magnetar.chaos.report.figures import counted, seconds
from magnetar.chaos.report.plot import HEADROOM, TALL, Plot, durations, placed, stroked
from magnetar.chaos.report.slices import sliced

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from magnetar.chaos.record.shape import Point
    from magnetar.chaos.report.clock import Clock
    from magnetar.chaos.report.plot import Scale

MARKS = 4000
"""About so many marks are drawn."""
SLOW = 0.99
"""Who took longer than this share of those that succeeded is slow."""
QUANTILES = ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"), (1.0, "slowest"))
_SHAPES = {"ok": ("dot ok", "h0"), "unknown": ("bar unknown", "m0 -4v8"), "failed": ("square failed", "h.1")}
_LEGEND = (("dot ok", "succeeded"), ("bar unknown", "outcome unknown"), ("square failed", "failed"))
_TALLER = 220.0


@dataclass(frozen=True, slots=True)
class Thinned:
    """Which operations are drawn: `kept` all, one in `stride` of `others`; `slow` is from how many seconds on."""

    kept: Sequence[Point]
    others: Sequence[Point]
    stride: int
    slow: float

    @property
    def note(self) -> str:
        """What was left out, in words."""
        if self.stride == 1:
            return "Each operation is a mark, at its intended start. At the upper edge: no answer at all."
        return (
            f"At its intended start. All {counted(len(self.kept), 'operation')} that failed, are unknown or took "
            f"{seconds(self.slow)} or longer are drawn, and one in {self.stride:,} of the others. "
            "At the upper edge: no answer at all."
        )


def took(point: Point) -> float | None:
    """Seconds from the intended start; None without an answer."""
    return None if point.done is None else max(0.0, point.done - point.at)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The least of them that so large a share does not exceed. There is at least one."""
    return ordered[max(0, ceil(share * len(ordered) - 1e-9) - 1)]


def succeeded(points: Iterable[Point]) -> list[float]:
    """How long those took that succeeded, in order."""
    return sorted(point.done - point.at for point in points if point.outcome == "ok" and point.done is not None)


def thinned(points: Sequence[Point]) -> Thinned:
    """Leave out only what is like its neighbours."""
    oks = succeeded(points)
    slow = quantile(oks, SLOW) if oks else 0.0
    usual: list[Point] = []
    kept: list[Point] = []
    for point in points:
        after = took(point)
        (usual if point.outcome == "ok" and after is not None and after < slow else kept).append(point)
    if len(points) <= MARKS:
        return Thinned(kept, usual, 1, slow)
    stride = ceil(len(usual) / max(MARKS // 4, MARKS - len(kept))) or 1
    return Thinned(kept, usual[::stride], stride, slow)


def every(points: Sequence[Point], clock: Clock) -> Plot:
    """Plot 1: each operation."""
    chosen = thinned(points)
    scale = durations((after for point in points if (after := took(point)) is not None), _TALLER)
    others, kept = (_cells(some, scale, clock) for some in (chosen.others, chosen.kept))
    shown = "".join(
        stroked([f"M{x:g} {y:g}{stroke}" for x, y in dict.fromkeys([*others[outcome], *kept[outcome]])], kind)
        for outcome, (kind, stroke) in _SHAPES.items()
    )
    return Plot(
        "latency",
        "Every operation",
        _words(points),
        chosen.note,
        shown,
        scale,
        _LEGEND,
        _worst(points, scale, clock),
        tall=_TALLER,
    )


def _cells(points: Sequence[Point], scale: Scale, clock: Clock) -> Mapping[str, Sequence[tuple[float, float]]]:
    """Where there is a mark: what would lie on one another is one. Coarser while there are too many, never fewer."""
    width = 0.5
    while True:
        found: dict[str, dict[tuple[float, float], None]] = {outcome: {} for outcome in _SHAPES}
        for point in points:
            after = took(point)
            y = HEADROOM / 2 if after is None else scale.y(after)
            found[point.outcome][round(clock.x(point.at) / width) * width, round(y / width) * width] = None
        if sum(map(len, found.values())) <= MARKS:
            return {outcome: list(cells) for outcome, cells in found.items()}
        width *= 2


def _worst(points: Sequence[Point], scale: Scale, clock: Clock) -> str:
    """The slowest that succeeded has its name on it."""
    done = [point for point in points if point.outcome == "ok" and point.done is not None]
    if not done:
        return ""
    worst = max(done, key=lambda point: took(point) or 0.0)
    after, x = took(worst) or 0.0, clock.x(worst.at)
    side = "word before" if x > WIDE / 2 else "word"
    return placed(f"{seconds(after)} {worst.op} {worst.key}", x, scale.y(after), _TALLER, side)


def _words(points: Sequence[Point]) -> str:
    outcomes = {outcome: sum(point.outcome == outcome for point in points) for outcome in _SHAPES}
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.items())
    oks = succeeded(points)
    if not oks:
        return f"{counted(len(points), 'operation')}: {told}."
    return (
        f"{counted(len(points), 'operation')}: {told}. Of those that succeeded half took up to "
        f"{seconds(quantile(oks, 0.5))}, 99 % up to {seconds(quantile(oks, 0.99))}, the slowest {seconds(oks[-1])}."
    )


def quantiles(points: Sequence[Point], clock: Clock) -> Plot:
    """Plot 2: quantiles of those that succeeded, by the second in which they were meant to begin."""
    groups = sliced(
        ((point.at, point.done - point.at) for point in points if point.outcome == "ok" and point.done is not None),
        clock,
    )
    ordered = {number: sorted(values) for number, values in groups.found.items()}
    scale = durations(value for values in ordered.values() for value in values)
    marks = "".join(
        groups.line(
            {number: scale.y(quantile(values, share)) for number, values in ordered.items()}, f"line quantile-{place}"
        )
        for place, (share, _) in enumerate(QUANTILES)
    )
    worst = max((values[-1] for values in ordered.values()), default=None)
    words = f"In the worst second the slowest took {seconds(worst)}."
    note = f"Of those that succeeded, {groups.each} of intended start. A hole: nothing meant to begin then succeeded."
    legend = [(f"line quantile-{place}", name) for place, (_, name) in enumerate(QUANTILES)]
    return Plot("quantiles", "Latency over time", words, note, marks, scale, legend, tall=TALL)
