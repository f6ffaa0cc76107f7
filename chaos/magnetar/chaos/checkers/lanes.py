"""From the outbox to the logs: every effect once, in the order decided, and nothing else (R18 to R20)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.evidence import Place
from magnetar.chaos.history import Violation
from magnetar.runtime.identity import to_text
from magnetar.runtime.routing import partition_of

if TYPE_CHECKING:
    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History, LaneRow
    from magnetar.chaos.verdict import Examination

_ONCE = "an effect happens once"


def effects_once(history: History, evidence: Evidence) -> Examination:
    """What the journal says was sent is in the log of its destination once, and nowhere else.

    A store that was restored sends again what it does not know to be sent: then once or more (R11).
    """
    if len({effect.message_id for effect in evidence.effects}) != len(evidence.effects):
        yield Violation(_ONCE, "the journal", "two rows sent messages with one id")
    for effect in evidence.effects:
        home = Place(effect.topic, partition_of(effect.key, evidence.partitions(effect.topic)))
        found = evidence.copies.get(effect.message_id, [])
        if (found if not history.restored else sorted(set(found))) != [home]:
            subject = f"{effect.message_id}, sent by {effect.by.actor}/{effect.by.key} in version {effect.by.version}"
            yield Violation(_ONCE, subject, f"it is in {list(map(str, found))}, not once in {home}")
        else:
            yield None


def outbox_arrives(history: History, evidence: Evidence) -> Examination:
    """What was committed to an outbox is in the logs in its order, and the logs hold nothing that nobody sent."""
    yield from _lanes_in_order(history, evidence)
    yield from _nothing_else(history, evidence)


def _nothing_else(history: History, evidence: Evidence) -> Examination:
    """A log holds what the journal says was sent, what was sent from outside, letters about these, and nothing else."""
    sendings = history.sendings.values()
    known = {effect.message_id for effect in evidence.effects} | {each.message_id for each in sendings}
    foreign = {(each.topic, each.partition) for each in sendings if each.message_id is None}
    disposed = {to_text(message_id) for _, message_id in evidence.journal}
    for place, log in evidence.logs.items():
        sent = disposed if place.topic in evidence.wiring.letters else known
        if log:
            yield None
        for delivery in log:
            text = delivery.properties.get("message_id")
            if text not in sent or (text is None and place not in foreign):
                yield Violation(
                    "no effect of what was not committed", f"message {text}", f"nobody sent it, yet {place} holds it"
                )


def _lanes_in_order(history: History, evidence: Evidence) -> Examination:
    """Per shard and destination the log holds the rows in the order of their numbers, which have no gap."""
    lanes: dict[str, list[LaneRow]] = {}
    for commit in history.commits:
        lanes.setdefault(commit.shard, []).extend(commit.lane)
    for shard, rows in lanes.items():
        numbers = [row.number for row in rows]
        if numbers != list(range(1, len(numbers) + 1)) or evidence.shards[shard].lane != len(numbers):
            what = f"{len(numbers)} rows, the last numbers {numbers[-5:]}, lane counter {evidence.shards[shard].lane}"
            yield Violation("a lane's numbers have no gap", f"shard {shard}", what)
        else:
            yield None
        yield from _in_order(shard, rows, evidence, again=history.restored)


def _in_order(shard: str, rows: list[LaneRow], evidence: Evidence, *, again: bool) -> Examination:
    decided: dict[Place, list[str]] = {}
    for row in rows:
        decided.setdefault(Place(row.topic, row.partition), []).append(row.message_id)
    for place, wanted in decided.items():
        log = evidence.logs[place]
        found = [each.properties["message_id"] for each in log if each.properties.get("sender") == shard]
        found = list(dict.fromkeys(found)) if again else found
        if found != wanted:
            at = next(
                (n for n, (one, two) in enumerate(zip(found, wanted, strict=False)) if one != two),
                min(len(found), len(wanted)),
            )
            what = f"{len(wanted)} rows, {len(found)} in the log, different from the {at + 1}th on"
            yield Violation("a lane arrives in its order", f"shard {shard} to {place}", what)
        else:
            yield None
