"""What could not be applied: dead letters that everybody can see, tails that wait in order, a ledger without gaps.

R2, R22 to R24.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from magnetar.chaos.history import Violation
from magnetar.runtime import envelope as wire
from magnetar.runtime.bus.port import Position
from magnetar.runtime.identity import id_of, to_text
from magnetar.runtime.instant import from_iso, to_iso
from magnetar.runtime.store.parking import LetterStatus
from magnetar.runtime.store.port import Disposition
from magnetar.runtime.store.requests import RequestStatus

if TYPE_CHECKING:
    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.verdict import Examination
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.parking import DeadLetter, FailureRow
    from magnetar.runtime.store.port import JournalRow

_DEAD = "a dead letter is on its topic, in the index and in the journal, once"
_JOURNALLED = {
    LetterStatus.DEAD.value: {Disposition.DEAD.value},
    LetterStatus.REPLAYED.value: {Disposition.APPLIED.value},
    LetterStatus.DISCARDED.value: {Disposition.DISCARDED.value, Disposition.SKIPPED.value},
}
"""By what became of a letter, what became of its message."""

_TIME = "what has failed is not tried again before it is due"
_WAITS = "what is parked waits in order, and behind what came before"


def dead_letters_agree(history: History, evidence: Evidence) -> Examination:
    """Journal, index, ledger and topic say the same of each dead letter."""
    published = _published(evidence)
    buried = {(row.actor, row.message_id): row for row in evidence.unapplied.dead}
    for (actor, message_id), row in evidence.journal.items():
        if row.disposition == Disposition.DEAD.value and (actor, message_id) not in buried:
            yield Violation(_DEAD, f"actor {actor}, message {to_text(message_id)}", "it has no row in the index")
    for who, letter in buried.items():
        yield _disagrees(evidence, letter, published[who], again=history.restored)


def _published(evidence: Evidence) -> Counter[tuple[str, bytes]]:
    """How often each message is on its actor's dead-letter topic."""
    found: Counter[tuple[str, bytes]] = Counter()
    for place, log in evidence.logs.items():
        for plan in evidence.wiring.actors.values():
            if plan.dead_letters == place.topic:
                found.update((plan.name, id_of(delivery.properties["message_id"])) for delivery in log)
    return found


def _disagrees(evidence: Evidence, letter: DeadLetter, published: int, *, again: bool) -> Violation | None:
    subject = f"actor {letter.actor}, message {to_text(letter.message_id)}"
    row = evidence.journal.get((letter.actor, letter.message_id))
    numbers = sorted(each.number for each in evidence.unapplied.failures if each.message_id == letter.message_id)
    if row is None or row.disposition not in _JOURNALLED[letter.status]:
        return Violation(_DEAD, subject, f"it is {letter.status}, and its journal row says {row and row.disposition}")
    if published < 1 or (published > 1 and not again):
        return Violation(_DEAD, subject, f"it is on the topic {published} times")
    if numbers != list(range(1, letter.failures + 1)):
        return Violation(_DEAD, subject, f"it died of {letter.failures} failures, and the ledger has {numbers}")
    return None


def tails_wait(history: History, evidence: Evidence) -> Examination:
    """Parked rows have no gap, and each its journal row; they are in their partition's order, behind the applied.

    And none is tried before the time that its bell tells.
    """
    if not history.restored:
        yield from _tried_in_time(evidence)
    for failure in evidence.unapplied.failures:
        row = evidence.journal.get((failure.actor, failure.message_id))
        if row is not None and row.disposition == Disposition.APPLIED.value:
            yield _late(failure, row)
    waiting = {(row.actor, row.message_id) for rows in evidence.unapplied.tails.values() for row in rows}
    for (actor, message_id), row in evidence.journal.items():
        if row.disposition == Disposition.PARKED.value and (actor, message_id) not in waiting:
            yield Violation(_WAITS, f"actor {actor}, message {to_text(message_id)}", "parked, and nowhere to be found")
    for (actor, key), rows in evidence.unapplied.tails.items():
        subject = f"actor {actor}, key {key}"
        parked = evidence.unapplied.keys.get((actor, key))
        ordinals = [row.ordinal for row in rows]
        wanted = [] if parked is None else list(range(parked.first, parked.last + 1))
        if ordinals != wanted:
            yield Violation(_WAITS, subject, f"places {ordinals}, and its key says {parked}")
        yield from _behind(evidence, actor, key)


def _tried_in_time(evidence: Evidence) -> Examination:
    """R23: after a failure the next attempt, whatever came of it, is not before it is due."""
    failed = {(row.actor, row.message_id, row.number): row.now for row in evidence.unapplied.failures}
    tiers = {topic: plan.name for plan in evidence.wiring.actors.values() for topic, _ in plan.retries}
    for place, log in evidence.logs.items():
        for bell in log if place.topic in tiers else ():
            who = tiers[place.topic], id_of(bell.properties[wire.MESSAGE_ID])
            again = failed.get((*who, int(bell.properties[wire.ATTEMPT]) + 1))
            row = evidence.journal.get(who)
            applied = row.now if row is not None and row.disposition == Disposition.APPLIED.value else None
            tried = applied if again is None else again
            due = from_iso(bell.properties[wire.DUE])
            if tried is not None and tried < due and not _asked(evidence, *who, due):
                what = f"it was tried again at {to_iso(tried)}, and was due at {bell.properties[wire.DUE]}"
                yield Violation(_TIME, f"actor {who[0]}, message {to_text(who[1])}", what)


def _asked(evidence: Evidence, actor: str, message_id: bytes, due: Instant) -> bool:
    """Whether a person has let the key of this message go on before it was due."""
    row = evidence.journal.get((actor, message_id))
    return row is not None and any(
        request.key == row.key and request.status == RequestStatus.DONE and (request.answered_at or due) < due
        for request in evidence.requests.values()
    )


def _late(row: FailureRow, applied: JournalRow) -> Violation | None:
    """What has failed and is applied now was applied after it had failed."""
    if row.now <= applied.now:
        return None
    subject = f"actor {row.actor}, message {to_text(row.message_id)}"
    return Violation(_WAITS, subject, f"failure {row.number} at {row.now}, applied at {applied.now}")


def _behind(evidence: Evidence, actor: str, key: str) -> Examination:
    """By source: applied ones first, then the parked ones, each in the order of the partition."""
    reached: dict[str, Position] = {}
    for row in (*evidence.timelines.get((actor, key), ()), *evidence.unapplied.tails[actor, key]):
        if row.position and (actor, row.message_id) not in evidence.exhumed:
            position = Position.parse(row.position)
            if position < reached.setdefault(row.source, position):
                what = f"{to_text(row.message_id)} at {position} of {row.source} is behind {reached[row.source]}"
                yield Violation(_WAITS, f"actor {actor}, key {key}", what)
            reached[row.source] = position
    yield None
