"""Lists of the load: each has every word once, in the order in which they were sent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from magnetar.chaos.history import Violation
from magnetar.chaos.simulation.clerks import Desk
from magnetar.schemas import Kept

if TYPE_CHECKING:
    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.verdict import Examination


def lists_are_whole(history: History, evidence: Evidence) -> Examination:
    """Each list has every word that was confirmed to its customer, once, in the order in which they were sent."""
    wanted: dict[str, int] = Counter(
        sending.key
        for sending in {each.message_id: each for each in history.sendings.values()}.values()
        if sending.topic == "desks" and ".list-" in sending.key
    )
    for key, count in wanted.items():
        words = words_of(evidence, key)
        fine = words == tuple(map(str, range(count)))
        what = f"of {count} words it has {len(words)}: {', '.join(words[:40])}"
        yield None if fine else Violation("a list has all words in order", f"desk {key}", what)


def words_of(evidence: Evidence, key: str) -> tuple[str, ...]:
    """What a desk has noted, in order."""
    codec = evidence.wiring.actors["desks"].codec
    row = evidence.states.get(("desks", key))
    desk = None if row is None else codec.decode(row.body, codec.schema, Kept("desks", key))
    return desk.words if isinstance(desk, Desk) else ()
