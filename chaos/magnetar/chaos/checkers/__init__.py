"""Checkers: pure functions from what a run saw and what it left to the promises that were not kept.

Each computes from the broker's logs, the store's rows and the sender's own log; none believes a counter of the engine.
A workload adds its own: money, stock, and that everything ends.
"""

from __future__ import annotations

from magnetar.chaos.checkers.contracts import stored_is_readable
from magnetar.chaos.checkers.delivery import acknowledged_is_committed, from_somewhere, nothing_is_lost
from magnetar.chaos.checkers.fork import nothing_forks
from magnetar.chaos.checkers.lanes import effects_once, outbox_arrives
from magnetar.chaos.checkers.order import applied_in_order, timers_let_the_punctual_pass
from magnetar.chaos.checkers.replay import replayed
from magnetar.chaos.checkers.requests import answered_once
from magnetar.chaos.checkers.rest import nothing_left
from magnetar.chaos.checkers.waiting import dead_letters_agree, tails_wait
from magnetar.chaos.verdict import Checker

__all__ = ["CHECKERS", "PUNCTUAL", "REQUESTS", "WAITING"]

CHECKERS: tuple[Checker, ...] = (
    Checker("nothing acked is lost", ("R2", "R4", "R10", "R21", "R30", "R32"), nothing_is_lost),
    Checker("nothing from nowhere", ("R2",), from_somewhere),
    Checker("effects once", ("R5", "R18", "R31"), effects_once),
    Checker("per-key order", ("R21", "R22", "R31"), applied_in_order),
    Checker("no fork", ("R1", "R3", "R5", "R6", "R8", "R12", "R31"), nothing_forks),
    Checker("acknowledgement", ("R10",), acknowledged_is_committed),
    Checker("outbox", ("R15", "R18", "R19", "R20"), outbox_arrives),
    Checker("replay", ("R2", "R5", "R6", "R7", "R26"), replayed),
    Checker("schema", ("R30",), stored_is_readable),
    Checker(
        "liveness",
        ("R2", "R11", "R13", "R14", "R15", "R20", "R21", "R22", "R23", "R25", "R26", "R29", "R32"),
        nothing_left,
    ),
)
"""Those that hold of every run."""

WAITING = (
    Checker("dead letters", ("R2", "R24"), dead_letters_agree),
    Checker("tails", ("R22", "R23"), tails_wait),
)
"""Those that have something to look at where handlers fail."""

REQUESTS = Checker("requests", ("R27",), answered_once)
"""Has something to look at where somebody asks."""

PUNCTUAL = Checker("timers", ("R26",), timers_let_the_punctual_pass)
"""Holds only where the publishers' clocks are the store's, and what is published is at the broker at once."""
