"""What was asked for, and what succeeded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.report.figures import rate
from magnetar.chaos.report.plot import Plot, linear
from magnetar.chaos.report.slices import sliced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from magnetar.chaos.record.shape import Point
    from magnetar.chaos.report.clock import Clock
    from magnetar.chaos.report.plot import Scale
    from magnetar.chaos.report.slices import Slices

_LEGEND = (("line offered", "offered"), ("area ok", "succeeded"), ("line trouble", "failed or unknown"))


def rates(points: Sequence[Point], clock: Clock) -> Plot:
    """Plot 3: operations a second."""
    offered = sliced(((point.at, 1.0) for point in points), clock)
    done = sliced(((point.done, 1.0) for point in points if point.outcome == "ok" and point.done is not None), clock)
    trouble = sliced(((point.done or point.at, 1.0) for point in points if point.outcome != "ok"), clock)
    scale = linear(max([*offered.rates().values(), *done.rates().values()], default=1.0), rate)
    marks = (
        _area(done, done.rates(), scale)
        + offered.line({number: scale.y(value) for number, value in offered.rates().items()}, "line offered")
        + trouble.line({number: scale.y(value) for number, value in trouble.rates().items() if value}, "line trouble")
    )
    note = f"Operations a second, {offered.each}: offered by intended start, succeeded by when they were done."
    return Plot("rates", "Offered and succeeded", _words(points, done), note, marks, scale, _LEGEND)


def _area(slices: Slices, values: Mapping[int, float], scale: Scale) -> str:
    if not values:
        return ""
    numbers = sorted(values)
    over = " ".join(f"{slices.x(number):.1f} {scale.y(values[number]):.1f}" for number in numbers)
    left, right, floor = slices.x(numbers[0]), slices.x(numbers[-1]), scale.y(0.0)
    return f'<path class="area ok" d="M{left:.1f} {floor:.1f}L{over}L{right:.1f} {floor:.1f}Z"/>'


def _words(points: Sequence[Point], done: Slices) -> str:
    still = sum(not value for value in done.rates().values())
    return f"{len(points):,} operations were offered; in {still:,} of {len(done.rates()):,} slices nothing succeeded."
