"""Messages of one key are applied in order, and a timer after what was published before it was due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.history import Violation
from magnetar.runtime.bus.port import Position
from magnetar.runtime.identity import to_text
from magnetar.runtime.instant import Instant, micros, seconds

if TYPE_CHECKING:
    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.verdict import Examination
    from magnetar.runtime.store.port import JournalRow


def applied_in_order(_: History, evidence: Evidence) -> Examination:
    """What came to a key by one partition was applied in the order of that partition.

    But for what died and was replayed: a person, or a policy that skips it, lets it come after what was behind it.
    """
    for (actor, key), timeline in evidence.timelines.items():
        reached: dict[str, Position] = {}
        for row in timeline:
            if not row.position or (actor, row.message_id) in evidence.exhumed:
                continue
            position = Position.parse(row.position)
            before = reached.setdefault(row.source, position)
            if position < before:
                what = f"{to_text(row.message_id)} at {position} of {row.source} was applied after {before}"
                yield Violation("messages of one key are applied in order", f"actor {actor}, key {key}", what)
            else:
                yield None
            reached[row.source] = position


def timers_let_the_punctual_pass(_: History, evidence: Evidence) -> Examination:
    """R26: a timer of a key fires after all that was published before it was due, unless it has waited long enough.

    Holds only where the publishers' clocks are the store's, and what is published is at the broker at once.
    """
    for (actor, key), timeline in evidence.timelines.items():
        patience = micros(evidence.wiring.actors[actor].policy.punctuality)
        latest: tuple[Instant, JournalRow] | None = None
        for row in timeline:
            if (actor, row.message_id) in evidence.exhumed:
                continue
            if row.source != "timer" and latest is not None and row.published_at < latest[0]:
                late = seconds(latest[0] - row.published_at)
                what = f"{row.type} {to_text(row.message_id)} was published {late} s before {latest[1].type} was due"
                yield Violation("who was in time is not overtaken by a timer", f"actor {actor}, key {key}", what)
            elif row.source == "timer":
                yield None
            if row.source == "timer" and row.now - row.occurred_at < patience:
                latest = max(latest or (0, row), (row.occurred_at, row))
