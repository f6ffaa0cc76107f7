"""What every plot has around its marks: title, what it says in words, legend, scale, bands, grid."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING

from magnetar.chaos.report.clock import WIDE, times
from magnetar.chaos.report.figures import chosen, quantity
from magnetar.chaos.report.markup import said, tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from magnetar.chaos.report.clock import Clock


TALL = 168.0
"""Most plots are so many units, and pixels, tall."""
HEADROOM = 8.0
"""Above the highest mark."""
COLOURS = 8
"""So many lines of one plot are told apart by colour."""
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """Which value is at which height. `marks` are the values that are named at the side."""

    low: float
    high: float
    marks: tuple[float, ...]
    named: Callable[[float], str]
    tall: float = TALL
    logarithmic: bool = False

    def y(self, value: float) -> float:
        """Units from the top; what is outside is at the edge."""
        ease = log10 if self.logarithmic else float
        low, high = ease(self.low), ease(self.high)
        part = (ease(max(value, self.low)) - low) / ((high - low) or 1.0)
        return self.tall - (self.tall - HEADROOM) * min(1.0, max(0.0, part))


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot of the run. `marks` is SVG; `legend` has a class and a name each; `over` is laid over it, as HTML.

    `words`: what it shows, for who cannot see it; `note`: how to read it.
    """

    name: str
    title: str
    words: str
    note: str
    marks: str
    scale: Scale | None
    legend: Sequence[tuple[str, str]] = ()
    over: str = ""
    side: str = ""
    tall: float = TALL


def linear(top: float, named: Callable[[float], str] = quantity, low: float = 0.0, tall: float = TALL) -> Scale:
    """From zero, or below, to a round number above."""
    span = max(top, 0.0) - min(low, 0.0)
    step = _round_step(span if span > _LEAST else 4.0)
    high = max(step, ceil(top / step - 1e-9) * step)
    under = min(0.0, floor(low / step + 1e-9) * step)
    steps = round((high - under) / step)
    marks = tuple(under + step * number for number in range(steps + 1))
    return Scale(under, high, marks, named, tall)


def durations(values: Iterable[float], tall: float = TALL) -> Scale:
    """Powers of ten of seconds around these; at least from 1 ms to 1 s."""
    some = [value for value in values if value > 0]
    low = floor(log10(min(max(min(some, default=0.001), 1e-5), 0.001)))
    high = ceil(log10(max(max(some, default=1.0), 1.0)) - 1e-9)
    marks = tuple(10.0**power for power in range(low, high + 1))
    return Scale(10.0**low, 10.0**high, marks, chosen, tall, logarithmic=True)


def _round_step(span: float) -> float:
    """Such that about four steps fill it."""
    power: float = 10.0 ** floor(log10(span / 4))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor * 4 >= span)


def path(points: Iterable[tuple[float, float]], kind: str) -> str:
    """A line through these places; nothing for none."""
    steps = " ".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="{kind}" d="M{steps}"/>' if steps else ""


def stroked(strokes: Sequence[str], kind: str) -> str:
    """Many strokes of one kind as one path."""
    return f'<path class="{kind}" d="{"".join(strokes)}"/>' if strokes else ""


def placed(text: str, x: float, y: float, tall: float, kind: str = "word") -> str:
    """A word over a plot, which keeps its size while the plot is stretched; `x` and `y` in units."""
    return tag("span", said(text, 80), class_=kind, style=f"left:{x / WIDE * 100:.2f}%;top:{y / tall * 100:.2f}%")


def drawn(plot: Plot, clock: Clock) -> str:
    """The whole figure, before the bands and the grid that all share. On paper it has the times below it as well."""
    return figure(plot, '<use href="#time"/>' + _levels(plot), times(clock, "ticks printed"))


def figure(plot: Plot, behind: str = "", below: str = "") -> str:
    """The whole figure, with this behind its marks and this below them."""
    titles = tag("title", said(plot.title), id=f"{plot.name}-title")
    titles += tag("desc", said(plot.words, 2000), id=f"{plot.name}-words")
    svg = (
        f'<svg viewBox="0 0 {WIDE:g} {plot.tall:g}" preserveAspectRatio="none" role="img" '
        f'aria-labelledby="{plot.name}-title {plot.name}-words">{titles}{behind}{plot.marks}</svg>'
    )
    over = tag("div", plot.over, class_="over", aria_hidden="true") if plot.over else ""
    canvas = tag("div", svg, over, class_="canvas", style=f"height:{plot.tall:g}px")
    return tag(
        "figure",
        tag("figcaption", tag("h3", said(plot.title)), _legend(plot.legend), tag("p", said(plot.note, 2000))),
        tag("div", plot.side or _side(plot), canvas, class_="chart"),
        below,
        id=plot.name,
    )


def _levels(plot: Plot) -> str:
    if plot.scale is None:
        return ""
    return f'<path class="grid" d="{"".join(f"M0 {plot.scale.y(mark):.1f}H{WIDE:g}" for mark in plot.scale.marks)}"/>'


def _side(plot: Plot) -> str:
    scale = plot.scale
    if scale is None:
        return tag("div", class_="side")
    names = (
        tag("span", said(scale.named(mark)), style=f"top:{scale.y(mark) / plot.tall * 100:.1f}%")
        for mark in scale.marks
    )
    return tag("div", *names, class_="side", aria_hidden="true")


def _legend(entries: Sequence[tuple[str, str]]) -> str:
    shown = [
        tag("li", f'<svg class="swatch" viewBox="0 0 16 10" aria-hidden="true">{_swatch(kind)}</svg>', said(name, 60))
        for kind, name in entries
    ]
    return tag("ul", *shown, class_="legend") if shown else ""


def _swatch(kind: str) -> str:
    shapes = {"dot": "M8 5h0", "bar": "M8 1v8", "area": "M1 5h14", "cell": "M1 5h14", "square": "M8 5h.1"}
    return f'<path class="{kind}" d="{shapes.get(kind.split(maxsplit=1)[0], "M1 5h14")}"/>'
