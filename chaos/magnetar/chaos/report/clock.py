"""The time axis that all plots of a run share, and the bands of its faults."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from magnetar.chaos.report.figures import moment
from magnetar.chaos.report.markup import clean, said, tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.chaos.record.keeping import Kept
    from magnetar.chaos.record.shape import Blow, Phase, Record

WIDE = 1000.0
"""Every plot is so many units wide, and is stretched to the page."""
HUES = 4
"""Faults are told apart by so many colours."""
BANDS = 400
"""So many faults are drawn."""
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600, 7200, 14400, 86400)
_TICKS = 14
_LONG = 120
_LEAST = 0.001


@dataclass(frozen=True, slots=True)
class Clock:
    """From when to when is drawn, in seconds since the run began."""

    begin: float
    end: float

    def x(self, at: float) -> float:
        """Where in the plot; what is outside is at its edge."""
        return WIDE * min(1.0, max(0.0, (at - self.begin) / self.took))

    def percent(self, at: float) -> str:
        """The same for what is laid over a plot."""
        return f"{self.x(at) / WIDE * 100:.2f}%"

    @property
    def took(self) -> float:
        """How long that is."""
        return max(_LEAST, self.end - self.begin)

    def ticks(self) -> list[float]:
        """Round times, about a dozen."""
        step = next((step for step in _STEPS if self.took / step <= _TICKS), self.took / _TICKS)
        first = -int(-self.begin // step)
        return [number * step for number in range(first, first + _TICKS + 1) if number * step <= self.end]

    def named(self, at: float) -> str:
        """A tick in words."""
        if self.end <= _LONG:
            return f"{at:g} s"
        return f"{int(at) // 60}:{int(at) % 60:02d}"


def clock_of(kept: Kept) -> Clock:
    """From the first load to where nothing waits any more, without how the servers started and what is read later."""
    of_load = [phase for phase in kept.record.phases if phase.name not in {"setup", "reading"}]
    begins = [phase.begin for phase in of_load] + [point.at for point in kept.points]
    ends = [phase.end for phase in of_load] + [point.done or point.at for point in kept.points]
    begin, end = min(filter(isfinite, begins), default=0.0), max(filter(isfinite, ends), default=0.0)
    return Clock(begin, end) if end > begin else Clock(0.0, max(_LEAST, kept.record.took))


def called(blow: Blow) -> str:
    """What was done to whom, in two words."""
    return f"{blow.fault} {blow.target.split(maxsplit=1)[0] if blow.target.strip() else ''}".strip()


def hue(record: Record, blow: Blow) -> int:
    """The colour of a fault: the same thing done to the same one has the same."""
    return list(dict.fromkeys(map(called, record.blows))).index(called(blow)) % HUES


def backdrop(record: Record, clock: Clock) -> str:
    """What is behind all plots, drawn once: faults as bands, and a hair line at each tick.

    A band is light from the strike until it is proven, darker while it is in force.
    """
    hues = {name: number % HUES for number, name in enumerate(dict.fromkeys(map(called, record.blows)))}
    shown = "".join("".join(_band(blow, hues[called(blow)], clock)) for blow in record.blows[:BANDS])
    ticks = "".join(_line(clock.x(at), "grid") for at in clock.ticks())
    group = tag("defs", tag("g", shown, ticks, id="time"))
    return tag("svg", group, class_="backdrop", width=0, height=0, aria_hidden="true")


def _band(blow: Blow, number: int, clock: Clock) -> Iterator[str]:
    until = _end(blow, clock)
    effective = until if blow.effective is None else blow.effective
    for begin, end, kind in ((blow.inject, effective, "striking"), (effective, until, "in-force")):
        left, right = clock.x(begin), clock.x(end)
        if right > left:
            yield f'<rect class="band {kind} hue-{number}" x="{left:.1f}" width="{right - left:.1f}" height="100%"/>'
    yield _line(clock.x(blow.inject), f"edge hue-{number}")


def _end(blow: Blow, clock: Clock) -> float:
    ends = [end for end in (blow.healed, blow.heal) if end is not None]
    return ends[0] if ends else clock.end


def _line(x: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y2="100%"/>'


def times(clock: Clock, kind: str = "ticks") -> str:
    """The ticks in words."""
    marks = (
        tag("span", clock.named(at), class_=f"tick{' every-other' * (place % 2)}", style=f"left:{clock.percent(at)}")
        for place, at in enumerate(clock.ticks())
    )
    return tag("div", *marks, class_=kind, aria_hidden="true")


def ruler(record: Record, clock: Clock) -> str:
    """The axis itself: phases, faults by name, and times; it stays in sight while the plots pass."""
    return tag(
        "div",
        tag("div", *_phases(record.phases, clock), class_="phases"),
        tag("div", *_names(record, clock), class_="faults"),
        times(clock),
        class_="ruler",
        aria_hidden="true",
    )


def _phases(phases: Sequence[Phase], clock: Clock) -> Iterator[str]:
    for phase in phases:
        left, right = clock.x(phase.begin), clock.x(phase.end)
        if right > left:
            kind, where = f"phase {phase.name}", _place(left, right)
            yield tag("span", tag("i", phase.name), class_=kind, style=where, title=phase.name)


def _names(record: Record, clock: Clock) -> Iterator[str]:
    starts = sorted({clock.x(blow.inject) for blow in record.blows} | {WIDE})
    for blow in record.blows[:BANDS]:
        left, right = clock.x(blow.inject), clock.x(_end(blow, clock))
        kind = f"fault hue-{hue(record, blow)}" + ("" if blow.effective is not None else " unproven")
        told = f"{clean(called(blow), 120)}, from {moment(blow.inject)}"
        yield tag("span", class_=kind, style=_place(left, max(right, left + 3)), title=told)
        room = next((start for start in starts if start > left), WIDE)
        yield tag("span", said(called(blow), 60), class_="name", style=_place(left, room))


def _place(left: float, right: float) -> str:
    return f"left:{left / WIDE * 100:.2f}%;width:{(right - left) / WIDE * 100:.2f}%"
