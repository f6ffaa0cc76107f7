"""Plot 10: the share of operations that were done within a time, before, during and after the fault."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING

from magnetar.chaos.report.clock import WIDE
from magnetar.chaos.report.figures import counted, seconds, share
from magnetar.chaos.report.latency import quantile, succeeded
from magnetar.chaos.report.plot import Plot, durations, linear, path, placed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.record.shape import PhaseName, Point
    from magnetar.chaos.report.plot import Scale

_TALLER = 240.0
_STEPS = 200
WHEN: tuple[tuple[str, str, tuple[PhaseName, ...]], ...] = (
    ("line before", "baseline", ("baseline",)),
    ("line during", "fault", ("fault",)),
    ("line after", "after healing", ("heal", "recover", "drain")),
)


def shares(points: Sequence[Point]) -> Plot:
    """Of all operations that were meant to begin then: one without success never counts as done."""
    across = durations(succeeded(points))
    upright = linear(1.0, share, tall=_TALLER)
    curves, legend, words = list[str](), list[tuple[str, str]](), list[str]()
    for kind, name, phases in WHEN:
        meant = [point for point in points if point.phase in phases]
        oks = succeeded(meant)
        legend.append((kind, f"{name} ({counted(len(meant), 'operation')})"))
        if oks:
            curves.append(_curve(oks, len(meant), across, upright, kind))
            words.append(_words(name, oks, len(meant)))
    note = "Share of operations done within a time. A curve that ends below 100 %: the others never succeeded."
    over = "".join(placed(across.named(mark), _x(mark, across), _TALLER, _TALLER, "under") for mark in across.marks)
    return Plot(
        "shares",
        "Done within a time",
        "; ".join(words) + ".",
        note,
        "".join(curves),
        upright,
        legend,
        over,
        tall=_TALLER,
    )


def _words(name: str, oks: Sequence[float], of: int) -> str:
    half, most = seconds(quantile(oks, 0.5)), seconds(quantile(oks, 0.99))
    return f"{name}: half within {half}, 99 % of the successes within {most}, {share(len(oks) / of)} succeeded"


def upright_grid(points: Sequence[Point]) -> str:
    """A hair line at each power of ten."""
    across = durations(succeeded(points))
    lines = "".join(f"M{_x(mark, across):.1f} 0V{_TALLER:g}" for mark in across.marks)
    levels = "".join(f"M0 {linear(1.0, share, tall=_TALLER).y(part):.1f}H{WIDE:g}" for part in (0.25, 0.5, 0.75, 1.0))
    return f'<path class="grid" d="{lines}{levels}"/>'


def _x(value: float, across: Scale) -> float:
    low, high = log10(across.low), log10(across.high)
    return WIDE * min(1.0, max(0.0, (log10(max(value, across.low)) - low) / (high - low)))


def _curve(oks: Sequence[float], of: int, across: Scale, upright: Scale, kind: str) -> str:
    numbers = sorted({round(step * (len(oks) - 1) / _STEPS) for step in range(_STEPS + 1)})
    places = [(_x(oks[number], across), upright.y((number + 1) / of)) for number in numbers]
    return path([(places[0][0], upright.y(0.0)), *places, (WIDE, places[-1][1])], kind)
