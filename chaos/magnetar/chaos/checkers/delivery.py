"""From the sender to the journal: nothing lost, nothing twice, nothing from nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.evidence import Place, acknowledgements, message_id_at
from magnetar.chaos.history import Violation
from magnetar.runtime.identity import to_text
from magnetar.runtime.store.port import Disposition

if TYPE_CHECKING:
    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History, Sending
    from magnetar.chaos.verdict import Examination
    from magnetar.runtime.bus.port import Delivery
    from magnetar.runtime.store.port import JournalRow
    from magnetar.runtime.wiring import ActorPlan, Topic

_DONE = {Disposition.APPLIED.value, Disposition.REHOMED.value}
_ENDED = {Disposition.DEAD.value, Disposition.SKIPPED.value, Disposition.DISCARDED.value}


def nothing_is_lost(history: History, evidence: Evidence) -> Examination:
    """What was confirmed to its sender is stored, and what is stored has a disposition for each actor that takes it."""
    yield from _acked_is_stored(history, evidence)
    yield from _each_is_disposed_of(evidence)


def _acked_is_stored(history: History, evidence: Evidence) -> Examination:
    for sending in history.sendings.values():
        if sending.acked and not _stored(sending, evidence):
            what = f"{sending.message_id or 'foreign'} to {sending.topic}/{sending.partition}"
            yield Violation("an acknowledged message is never lost", what, "it is not in the log")
        elif sending.acked:
            yield None


def _stored(sending: Sending, evidence: Evidence) -> bool:
    place = Place(sending.topic, sending.partition)
    if sending.message_id is not None:
        return place in evidence.copies.get(sending.message_id, ())
    stored = {delivery.position for delivery in evidence.logs[place]}
    return all(position in stored for position in sending.positions)


def _each_is_disposed_of(evidence: Evidence) -> Examination:
    for place, log in evidence.logs.items():
        topic = evidence.wiring.topics.get(place.topic)
        if topic is None:
            continue  # a letter: its message is judged where it came from
        for actor in topic.takers:
            plan = evidence.wiring.actors[actor]
            for delivery in log:
                if _takes(plan, topic, delivery):
                    yield _disposed(evidence, actor, place, delivery)


def _takes(plan: ActorPlan, topic: Topic, delivery: Delivery) -> bool:
    """An actor takes all of its own topic, and of a feed what it handles."""
    return topic.name == plan.name or delivery.properties.get("type") in plan.types


def _disposed(evidence: Evidence, actor: str, place: Place, delivery: Delivery) -> Violation | None:
    message_id = message_id_at(place, delivery)
    row = evidence.journal.get((actor, message_id))
    if row is None:
        where = f"{to_text(message_id)} at {delivery.position} of {place}"
        return Violation("every message is applied", f"actor {actor}, message {where}", "it has no disposition")
    if row.disposition not in _DONE and not _is_stuck(evidence, row):
        return Violation("every message is applied", f"actor {actor}, message {to_text(message_id)}", row.disposition)
    return None


def _is_stuck(evidence: Evidence, row: JournalRow) -> bool:
    """Dead, or behind one that is, on a key that waits for a person; what else is parked at rest was forgotten."""
    if row.disposition == Disposition.PARKED.value:
        key = evidence.unapplied.keys.get((row.actor, row.key))
        return key is not None and key.due is None
    return row.disposition in _ENDED


def from_somewhere(_: History, evidence: Evidence) -> Examination:
    """A journal row is of a message in a log, at that place, with those bytes. Timers are replay's matter."""
    where = {(f"{place}", str(delivery.position)): delivery for place, log in evidence.logs.items() for delivery in log}
    for row in evidence.journal.values():
        if row.source in {"timer", "local", "effect"}:
            continue
        delivery = where.get((row.source, row.position))
        if delivery is None or not _same(row, delivery):
            subject = f"actor {row.actor}, key {row.key}, message {to_text(row.message_id)}"
            yield Violation("no message from nowhere", subject, f"{row.source} holds no such message at {row.position}")
        else:
            yield None


def _same(row: JournalRow, delivery: Delivery) -> bool:
    place = Place(delivery.topic, delivery.partition)
    return message_id_at(place, delivery) == row.message_id and delivery.body == row.body


def acknowledged_is_committed(history: History, evidence: Evidence) -> Examination:
    """R10: whenever somebody looked, no subscription was acknowledged beyond what its shard had committed."""
    at_the_end = acknowledgements(evidence.at, evidence.wiring, evidence.cursors, evidence.shards)
    for each in (*history.looks, *at_the_end):
        if each.acknowledged > each.committed:
            what = f"acknowledged up to {each.acknowledged}, committed up to {each.committed}"
            yield Violation("an acknowledgement follows its commit", f"shard {each.shard}, {each.place}", what)
        else:
            yield None
