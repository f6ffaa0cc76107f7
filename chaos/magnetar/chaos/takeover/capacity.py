"""How many orders a second all workers together get through: a burst, from its first order to its last effect."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from magnetar.chaos.cluster.crew import Crew
    from magnetar.chaos.takeover.feeding import Feeder

WARM_UP, BURST = 300, 600
"""Orders. The first ones open producers and warm up what the brokers run."""
SHARE, LEAST = 0.3, 50.0
"""The load of the report: this share of the capacity, and so many orders a second at least."""
_QUIET = 1.0
_LOOK = 0.05
_PATIENCE = 60.0
SETTLED = "magnetar_messages_settled_total"


def measured(crew: Crew, feeder: Feeder) -> float:
    """Orders a second."""
    _burst(crew, feeder, WARM_UP)
    return BURST / _burst(crew, feeder, BURST)


def rate_of(capacity: float) -> float:
    """The load that goes with a capacity, in orders a second."""
    return max(LEAST, SHARE * capacity)


def share_of(capacity: float) -> float:
    """Which share of the capacity that load is: more than `SHARE` where so much is not even the least."""
    return rate_of(capacity) / capacity


def _burst(crew: Crew, feeder: Feeder, orders: int) -> float:
    began = time.monotonic()
    feeder.burst("", orders)
    return quiet_since(crew) - began


def quiet_since(crew: Crew, patience: float = _PATIENCE) -> float:
    """Wait until nothing has been applied for a second, and say since when (monotonic seconds)."""
    deadline = time.monotonic() + patience
    before, since = -1, time.monotonic()
    while time.monotonic() - since < _QUIET and time.monotonic() < deadline:
        crew.look()
        after = crew.total(SETTLED)
        if after != before:
            before, since = after, time.monotonic()
        time.sleep(_LOOK)
    return since
