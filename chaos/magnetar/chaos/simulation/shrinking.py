"""Making a failure small: the same promise broken with fewer faults, fewer letters, one worker and plain settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from magnetar.chaos.simulation.run import Outcome, simulate
from magnetar.runtime.worker.engine import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from magnetar.chaos.simulation.options import Options
    from magnetar.chaos.simulation.schedule import Schedule

T = TypeVar("T")

SIMPLER: tuple[Callable[[Options], Options], ...] = (
    lambda options: replace(options, workers=1),
    lambda options: replace(options, leftovers=False),
    lambda options: replace(options, scheduler="fifo"),
    lambda options: replace(options, skew=0.0),
    lambda options: replace(options, partitions=1),
    lambda options: replace(options, receiver_queue=200),
    lambda options: replace(options, settings=Settings()),
)
"""Each makes the options of a run easier to think about."""


def shrunk(outcome: Outcome) -> Outcome:
    """The smallest run found in which the same promise is broken."""
    promise = outcome.judgement.violations[0].promise
    while True:
        smaller = _faults(outcome, promise)
        smaller = _letters(smaller, promise)
        smaller = _acts(smaller, promise)
        smaller = _plainer(smaller, promise)
        if smaller.schedule == outcome.schedule:
            return outcome
        outcome = smaller


def _faults(outcome: Outcome, promise: str) -> Outcome:
    return _fewer(outcome, promise, lambda each: each.faults, lambda each, kept: replace(each, faults=tuple(kept)))


def _letters(outcome: Outcome, promise: str) -> Outcome:
    return _fewer(outcome, promise, lambda each: each.letters, lambda each, kept: replace(each, letters=tuple(kept)))


def _acts(outcome: Outcome, promise: str) -> Outcome:
    return _fewer(outcome, promise, lambda each: each.acts, lambda each, kept: replace(each, acts=tuple(kept)))


def _fewer(
    outcome: Outcome,
    promise: str,
    parts: Callable[[Schedule], Sequence[T]],
    keeping: Callable[[Schedule, Sequence[T]], Schedule],
) -> Outcome:
    """Leave out halves, then quarters, down to single ones, for as long as the promise stays broken."""
    size = max(1, len(parts(outcome.schedule)) // 2)
    while True:
        all_parts = parts(outcome.schedule)
        tries = (
            keeping(outcome.schedule, [*all_parts[:start], *all_parts[start + size :]])
            for start in range(0, len(all_parts), size)
        )
        smaller = _first_broken(tries, promise)
        if smaller is not None:
            outcome = smaller
        elif size == 1:
            return outcome
        else:
            size //= 2
        size = max(1, min(size, len(parts(outcome.schedule))))


def _plainer(outcome: Outcome, promise: str) -> Outcome:
    for simpler in SIMPLER:
        tried = replace(outcome.schedule, options=simpler(outcome.schedule.options))
        if tried != outcome.schedule:
            outcome = _first_broken(iter((tried,)), promise) or outcome
    return outcome


def _first_broken(schedules: Iterator[Schedule], promise: str) -> Outcome | None:
    for schedule in schedules:
        outcome = simulate(schedule)
        if any(violation.promise == promise for violation in outcome.judgement.violations):
            return outcome
    return None
