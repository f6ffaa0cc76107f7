"""What ends its worker is found out, dies after exactly its crashes, and nobody else is charged for it (R24, R25).

Two things are known for certain: which messages ended a worker each time they were tried, and what the database said
was in hand then, or when somebody took the shard of a worker that was gone for another reason.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from magnetar.chaos.history import Violation
from magnetar.runtime.errors import Crashed
from magnetar.runtime.identity import to_text
from magnetar.runtime.store.port import Disposition
from magnetar.runtime.worker.failing import name_of

if TYPE_CHECKING:
    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import Died, History
    from magnetar.chaos.verdict import Examination

CRASHED = name_of(Crashed(1))
"""The error of a dead letter that crashed too often."""

UNSEEN = 2
"""Workers that a message may end before it is in hand: one in ordinary operation, one that had few in a group."""

_ALONE = "what ends its worker is in hand then, alone"
_COUNTED = "each crash is counted once, and charged to what was in hand"
_EXACTLY = "what ends its worker dies of exactly its crashes"


def crashes_are_charged(limit: int, history: History, evidence: Evidence) -> Examination:
    """Judged where the store never was an older copy: with the ledger went what was counted."""
    for _ in evidence.journal:
        yield None
    if history.restored:
        return
    yield from _in_hand(history)
    yield from _counted(history, evidence)
    yield from _exact(limit, history, evidence)


def _in_hand(history: History) -> Examination:
    """Nobody else is, ever; and it is, wherever it had to go alone. Else once where nobody knew, and once with few.

    What a person pauses may come again when care is over.
    """
    unknown: Counter[bytes] = Counter()
    for death in history.deaths:
        subject = f"{death.owner}, message {to_text(death.message_id)}"
        others = [to_text(each) for each in death.held if each != death.message_id]
        if others:
            yield Violation(_ALONE, subject, f"in hand: {others}")
        if death.owned and death.message_id not in death.held:
            unknown[death.message_id] += 1
            yield _unseen(death, subject, 0 if history.requests else unknown[death.message_id])


def _unseen(death: Died, subject: str, times: int) -> Violation | None:
    if death.alone:
        return Violation(_ALONE, subject, "it had to go alone, and was not in hand")
    return Violation(_ALONE, subject, f"so it ended a worker {times} times unseen") if times > UNSEEN else None


def _counted(history: History, evidence: Evidence) -> Examination:
    """Charged is what somebody else found in a hand; as often as that at most, and each time that it was the cause."""
    found = Counter(
        message_id for message_id, _, _ in {(each.message_id, each.owner, each.since) for each in history.found}
    )
    seen = Counter(death.message_id for death in history.deaths if death.message_id in death.held)
    counted = Counter(row.message_id for row in evidence.unapplied.crashes)
    for message_id in {*found, *seen, *counted}:
        least, most = seen[message_id], found[message_id]
        if not least <= counted[message_id] <= most:
            what = f"charged with {counted[message_id]} crashes, the cause of {least}, and found in hand {most} times"
            yield Violation(_COUNTED, f"message {to_text(message_id)}", what)


def _exact(limit: int, history: History, evidence: Evidence) -> Examination:
    """Who ends a worker each time is never applied; and nobody dies of fewer crashes than the limit, or of more.

    It crashes once more whenever somebody asks for it to be tried again.
    """
    dead = {letter.message_id: letter for letter in evidence.unapplied.dead}
    lethal = {death.message_id for death in history.deaths}
    for (_, message_id), row in evidence.journal.items():
        if message_id in lethal and row.disposition == Disposition.APPLIED.value:
            yield Violation(_EXACTLY, f"message {to_text(message_id)}", "it was applied")
    counted = Counter(row.message_id for row in evidence.unapplied.crashes)
    for letter in dead.values():
        subject = f"actor {letter.actor}, message {to_text(letter.message_id)}"
        more = counted[letter.message_id] - letter.crashes
        if letter.error == CRASHED and (letter.crashes != limit or more < 0 or (more and not history.requests)):
            yield Violation(_EXACTLY, subject, f"dead of {letter.crashes}, {counted[letter.message_id]} in the ledger")
