"""Timers of the load: each rings once, in its place and not before it is due; and which were due in the faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from magnetar.chaos.history import Violation
from magnetar.chaos.measuring.lists import words_of
from magnetar.chaos.workloads.plan import TIMER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.record.shape import Blow
    from magnetar.chaos.verdict import Examination

_PROMISE: Final = "a timer rings once, when it is due"
_RANG: Final = ("set", "rang set")
_HUSHED: Final = (("set", "hush"), (*_RANG, "hush"))


def timers_ring_once(history: History, evidence: Evidence) -> Examination:
    """Each that was set rang once and not too early; who was hushed may have rung before it."""
    asked: dict[str, bool] = {}
    for sending in history.sendings.values():
        if sending.topic == "desks" and TIMER in sending.key:
            hushed = (sending.message_id or "").endswith("-hush")
            asked[sending.key] = asked.get(sending.key, False) or hushed
    rang = due(evidence)
    for key, hushed in asked.items():
        words = words_of(evidence, key)
        early = [at - now for at, now in rang.get(key, ()) if now < at]
        if words not in (_HUSHED if hushed else (_RANG,)):
            yield Violation(_PROMISE, f"desk {key}", f"it has noted: {', '.join(words) or 'nothing'}")
        elif early:
            yield Violation(_PROMISE, f"desk {key}", f"it rang {early[0] / 1e6:.3f} s before it was due")
        else:
            yield None


def due(evidence: Evidence) -> dict[str, list[tuple[int, int]]]:
    """Of each desk when timers that rang were due, and when they rang: instants."""
    found: dict[str, list[tuple[int, int]]] = {}
    for (actor, key), rows in evidence.timelines.items():
        if actor == "desks" and TIMER in key:
            found[key] = [(row.occurred_at, row.now) for row in rows if row.source == "timer"]
    return found


def in_faults(seconds: Iterable[float], blows: Iterable[Blow]) -> int:
    """How many of these times are in a fault: from its strike until it was seen to be healed."""
    spans = [(blow.inject, blow.healed) for blow in blows if blow.healed is not None]
    return sum(any(begin <= at < end for begin, end in spans) for at in seconds)
