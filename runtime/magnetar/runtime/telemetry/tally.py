"""Numbers that one thread counts and another reads, without a lock and without a call per message.

The loop writes; the thread of a scrape reads. What it reads are copies, made in one step of the interpreter: a number
may be one group behind another, but none is ever torn, and a histogram's total is the sum of its own buckets.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Labels: TypeAlias = tuple[str, ...]
"""Values of a metric's labels, in the order of its `labels`."""

Numbers: TypeAlias = dict[Labels, float]


def add(numbers: Numbers, labels: Labels, amount: float) -> None:
    """Count so much more."""
    numbers[labels] = numbers.get(labels, 0) + amount


def zeros(*choices: Iterable[str]) -> Numbers:
    """A zero for each combination: a rate is only seen from a number that was there before it rose."""
    rows: list[Labels] = [()]
    for values in choices:
        rows = [(*row, value) for value in list(values) for row in rows]
    return dict.fromkeys(rows, 0)


class Reading(NamedTuple):
    """A histogram as it was: so many values up to each bound and above the last one, not cumulated, and their sum."""

    counts: tuple[int, ...]
    total: float


class Distribution:
    """A histogram that takes many values at once: it costs a look-up a bucket, not one a value."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` ascend; a value belongs to the first bound that is not below it."""
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def note(self, value: float) -> None:
        """One value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def note_ages(self, moments: list[int], now: int, unit: int) -> None:
        """The age at `now` of each moment, all in `unit` parts of a second; `moments` is sorted here.

        A moment in the future, by a clock that is ahead of the store's, has the age 0: a sum must not fall.
        """
        moments.sort()
        past = bisect_right(moments, now)
        above = len(moments)
        for place, bound in enumerate(self._bounds):
            older = bisect_left(moments, now - bound * unit)
            self._counts[place] += above - older
            above = older
            if not older:
                break
        self._counts[-1] += above
        self._sum += (now * past - sum(moments[:past])) / unit

    def read(self) -> Reading:
        """As it is now. Any thread."""
        total = self._sum
        return Reading(tuple(self._counts), total)
