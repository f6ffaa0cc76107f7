"""The run cut into equal slices of time: a second each, or longer where that would be too many."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from magnetar.chaos.report.figures import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from magnetar.chaos.report.clock import Clock

MOST = 600
"""More slices than this cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Slices:
    """Values by the number of their slice. `width` in seconds."""

    clock: Clock
    width: float
    found: Mapping[int, list[float]]

    @property
    def number(self) -> int:
        """How many slices there are; the last may be shorter."""
        return max(1, ceil(self.clock.took / self.width - 1e-9))

    @property
    def each(self) -> str:
        """How wide they are, in words."""
        return "for each second" if self.width == 1 else f"for each {seconds(self.width)}"

    def rates(self) -> dict[int, float]:
        """How many values a second, also where there are none; a last slice of less than half is left out."""
        last = self.clock.took - (self.number - 1) * self.width
        whole = self.number if last >= self.width / 2 or self.number == 1 else self.number - 1
        return {
            number: len(self.found.get(number, ())) / (self.width if number < self.number - 1 else max(1e-9, last))
            for number in range(whole)
        }

    def x(self, number: int) -> float:
        """The middle of a slice, in units of a plot."""
        return self.clock.x(self.clock.begin + (number + 0.5) * self.width)

    def line(self, heights: Mapping[int, float], kind: str) -> str:
        """A line through the middle of each slice, with holes where there is no height."""
        steps: list[str] = []
        for number in sorted(heights):
            step = f"{self.x(number):.1f} {heights[number]:.1f}"
            alone = number + 1 not in heights and number - 1 not in heights
            steps.append(f"L{step}" if number - 1 in heights else f"M{step}" + ("h0" if alone else ""))
        return f'<path class="{kind}" d="{"".join(steps)}"/>' if steps else ""


def sliced(values: Iterable[tuple[float, float]], clock: Clock) -> Slices:
    """Pairs of a time and a value; those outside the clock are left out."""
    width = max(1.0, clock.took / MOST)
    found: dict[int, list[float]] = {}
    for at, value in values:
        if clock.begin <= at <= clock.end:
            found.setdefault(min(int((at - clock.begin) / width), MOST), []).append(value)
    return Slices(clock, width, found)
