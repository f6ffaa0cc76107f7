"""Checkers: pure functions from what a run saw and what it left to the promises that were not kept.

Each computes from the broker's logs, the store's rows and the sender's own log; none believes a counter of the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.checkers.delivery import acked_is_stored, acknowledged_is_committed, each_disposed, from_somewhere
from magnetar.chaos.checkers.fences import commits_follow, fences_held
from magnetar.chaos.checkers.journal import versions_without_gap
from magnetar.chaos.checkers.lanes import effects_once, lanes_in_order, nothing_else
from magnetar.chaos.checkers.order import applied_in_order
from magnetar.chaos.checkers.replay import replayed
from magnetar.chaos.checkers.rest import nothing_left

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History, Violation

    Checker = Callable[[History, Evidence], Iterable[Violation]]

__all__ = ["CHECKERS", "check"]

CHECKERS: tuple[Checker, ...] = (
    acked_is_stored,
    each_disposed,
    from_somewhere,
    versions_without_gap,
    applied_in_order,
    effects_once,
    nothing_else,
    lanes_in_order,
    fences_held,
    commits_follow,
    acknowledged_is_committed,
    nothing_left,
    replayed,
)


def check(history: History, evidence: Evidence) -> list[Violation]:
    """Every violation that any checker finds, after those that were seen while the run lasted."""
    return [*history.violations, *(found for checker in CHECKERS for found in checker(history, evidence))]
