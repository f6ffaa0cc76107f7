"""Virtual time, and what is to happen at which instant."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from magnetar.runtime.instant import SECOND, Instant, micros

if TYPE_CHECKING:
    from collections.abc import Callable

START: Instant = 1_767_225_600 * SECOND


class StoreClock:
    """The clock of the database: the run's, put forward or back."""

    def __init__(self, agenda: Agenda, skew: Instant) -> None:
        """Ahead of the run's by `skew`, for a beginning."""
        self._agenda = agenda
        self._skew = self._most = skew

    def __call__(self) -> Instant:
        """What it shows."""
        return self._agenda.now + self._skew

    def jump(self, by: Instant) -> None:
        """Put it forward, or back."""
        self._skew += by
        self._most = max(self._most, self._skew)

    @property
    def behind(self) -> Instant:
        """By so much later than it was meant is whatever was given a time before it was put back."""
        return self._most - self._skew


class Agenda:
    """The clock of a run. It moves only when it is told to."""

    def __init__(self) -> None:
        self.now: Instant = START
        self._entries: list[tuple[Instant, int, Callable[[], None], bool]] = []
        self._order = count()

    def clock(self) -> Instant:
        """The present instant."""
        return self.now

    def after(self, delay: float, act: Callable[[], None]) -> None:
        """Do it so many seconds from now."""
        self._put(delay, act, touching=True)

    def aside(self, delay: float, act: Callable[[], None]) -> None:
        """The same, for what no worker notices but by what it publishes."""
        self._put(delay, act, touching=False)

    def _put(self, delay: float, act: Callable[[], None], *, touching: bool) -> None:
        heappush(self._entries, (self.now + micros(delay), next(self._order), act, touching))

    def next(self) -> Instant | None:
        """When something is to happen next."""
        return self._entries[0][0] if self._entries else None

    @property
    def due(self) -> bool:
        """Whether the time of something has come."""
        return bool(self._entries) and self._entries[0][0] <= self.now

    def act(self) -> bool:
        """Do one thing whose time has come; whether the workers may notice."""
        _, _, act, touching = heappop(self._entries)
        act()
        return touching
