"""At rest nothing is left: no row unsent, no timer due, no message unacknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.history import Violation

if TYPE_CHECKING:
    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.verdict import Examination

_PROMISE = "what is healed comes to rest"


def nothing_left(history: History, evidence: Evidence) -> Examination:
    """It came to rest in time: all is sent and acknowledged, no timer is due, who waits waits for a person."""
    for what in history.restless:
        yield Violation(_PROMISE, "the run", what)
    for row in evidence.unsent:
        yield Violation(
            _PROMISE, f"shard {row.shard}", f"row {row.number} to {row.topic}/{row.partition} is in the outbox"
        )
    yield from _still_planned(evidence)
    for cursor in evidence.cursors:
        if cursor.backlog:
            yield Violation(
                _PROMISE, f"actor {cursor.actor}, {cursor.place}", f"{cursor.backlog} messages unacknowledged"
            )
        else:
            yield None


def _still_planned(evidence: Evidence) -> Examination:
    """What was to happen by itself, and has not."""
    for (actor, key), parked in evidence.unapplied.keys.items():
        if parked.due is not None:
            yield Violation(_PROMISE, f"actor {actor}, key {key}", f"it is parked ({parked.reason}), due {parked.due}")
    for (actor, key), effects in evidence.errands.items():
        for effect in effects:
            what = f"{effect.type} is {effect.state} after {effect.attempts} attempts, due {effect.due}"
            yield Violation(_PROMISE, f"actor {actor}, key {key}", what)
    for who, timers in evidence.timers.items():
        for timer in timers:
            if timer.due <= evidence.at and who not in evidence.unapplied.keys:  # there it waits with the others (R22)
                what = f"{timer.name} was due {(evidence.at - timer.due) / 1e6:.3f} s ago"
                yield Violation(_PROMISE, f"actor {timer.actor}, key {timer.key}", what)
