"""How fast the load comes: as usual, and in bursts so many times faster. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from magnetar.chaos.scenarios.spec import Load


@dataclass(frozen=True, slots=True)
class Pace:
    """`bursts`: from when to when (seconds from the begin of the load), and how much more comes, as a factor.

    At a steady pace one second of work comes in each second; bursts that overlap add up.
    """

    bursts: tuple[tuple[float, float, float], ...]

    @classmethod
    def of(cls, load: Load, faults: float) -> Pace:
        """`faults`: when these begin."""
        return cls(tuple((faults + each.at, faults + each.at + each.lasts, each.times - 1) for each in load.bursts))

    def work(self, at: float) -> float:
        """How many seconds of work have come by a time."""
        return at + sum(more * max(0.0, min(at, end) - begin) for begin, end, more in self.bursts)

    def at(self, work: float) -> float:
        """When so many seconds of work have come."""
        last = 0.0
        for time in sorted({edge for begin, end, _ in self.bursts for edge in (begin, end)}):
            if self.work(time) >= work:
                break
            last = time
        rate = 1 + sum(more for begin, end, more in self.bursts if begin <= last < end)
        return last + (work - self.work(last)) / rate
