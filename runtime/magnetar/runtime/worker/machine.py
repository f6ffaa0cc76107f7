"""Everything the loop steps looks like this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec

from magnetar.runtime.instant import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.port import Bus
    from magnetar.runtime.store.port import Store
    from magnetar.runtime.worker.holdings import Holdings
    from magnetar.runtime.worker.observer import Observer
    from magnetar.runtime.worker.points import Points


class Next(msgspec.Struct, frozen=True, gc=False):
    """When to call again: an instant (now or earlier: at once), or None: only when something arrives.

    Each machine makes one at least for each of its steps; of this kind in a sixth of the time a tuple takes.
    """

    at: Instant | None

    @staticmethod
    def first(*choices: Next) -> Next:
        """The earliest of them."""
        first, earliest = NEVER, None
        for choice in choices:
            at = choice.at
            if at is not None and (earliest is None or at < earliest):
                first, earliest = choice, at
        return first


NEVER = Next(None)


@dataclass(frozen=True, slots=True)
class Means:
    """What every machine of a worker works with. `clock` is what the `now` of each step is read from, in seconds."""

    bus: Bus
    store: Store
    holdings: Holdings
    observer: Observer
    points: Points
    clock: Callable[[], float]


class Machine(Protocol):
    """A part of the engine. Called by one thread; a step is one phase, so that a crash can fall between any two."""

    def step(self, now: Instant) -> Next:
        """Do the next phase, if its time has come."""
        ...
