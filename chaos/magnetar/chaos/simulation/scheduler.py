"""Whose turn it is when several workers are awake: the first come, anybody, or the one with the highest priority.

Priorities that change at a few points find every bug that needs an order of few events with a known probability
(PCT: Burckhardt and others, ASPLOS 2010).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from magnetar.chaos.simulation.process import Process

CHANGES = 3
"""Points at which the highest priority becomes the lowest."""

HORIZON = 2000
"""The points lie within so many choices."""


class Scheduler(Protocol):
    """Chooses."""

    def choose(self, awake: Sequence[Process]) -> Process:
        """The one to be stepped next; `awake` has two at least, in the order of their starts."""
        ...


class Fifo:
    """Who has been awake longest."""

    def __init__(self, _: random.Random) -> None:
        """Leaves nothing to chance."""

    def choose(self, awake: Sequence[Process]) -> Process:
        """See `Scheduler`."""
        return min(awake, key=lambda process: process.wake or 0)


class Anybody:
    """Whoever is drawn."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw

    def choose(self, awake: Sequence[Process]) -> Process:
        """See `Scheduler`."""
        return self._draw.choice(awake)


class Priorities:
    """Who has the highest priority; it loses it at a few points."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._changes = set(draw.sample(range(HORIZON), CHANGES))
        self._priorities: dict[str, float] = {}
        self._choices = 0

    def choose(self, awake: Sequence[Process]) -> Process:
        """See `Scheduler`."""
        for process in awake:
            if process.name not in self._priorities:
                self._priorities[process.name] = self._draw.random()
        first = max(awake, key=lambda process: self._priorities[process.name])
        if self._choices in self._changes:
            self._priorities[first.name] = -float(self._choices) - 1.0
        self._choices += 1
        return first


SCHEDULERS: Mapping[str, Callable[[random.Random], Scheduler]] = {
    "fifo": Fifo,
    "random": Anybody,
    "pct": Priorities,
}
"""By the name in the options."""
