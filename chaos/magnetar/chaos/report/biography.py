"""What became of a message, from whoever saw it: meant, confirmed, decided, in hand, told to the outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.history import Answered, Blamed, Charged, Committed, Died, Found, Heard, Intended, Requested, Told
from magnetar.runtime.identity import to_text
from magnetar.runtime.instant import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from magnetar.chaos.history import AnyEvent
    from magnetar.chaos.record.keeping import Kept
    from magnetar.chaos.record.shape import Record, Witness

MOST = 40
"""Steps of one life that are told."""
_ID = 16
"""Bytes of a message id."""


@dataclass(frozen=True, slots=True)
class Step:
    """At which second of the run, what kind of thing (one word), and what."""

    at: float
    kind: str
    what: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about one subject: an id of a message, or a key."""

    subject: str
    step: Step


def lives(kept: Kept, witnesses: Sequence[Witness]) -> list[list[Step]]:
    """A life for each witness, in order of time, with the blows that fell meanwhile. One pass over the history."""
    wanted = {name for witness in witnesses for name in _names(witness)}
    found: dict[str, list[Step]] = {}
    for fact in _facts(kept, wanted):
        found.setdefault(fact.subject, []).append(fact.step)
    return [
        _life(kept.record, [step for name in _names(witness) for step in found.get(name, ())]) for witness in witnesses
    ]


def _names(witness: Witness) -> list[str]:
    """What it goes by: its ids; where it names none, its key, with and without the actor."""
    if witness.ids:
        return list(dict.fromkeys(witness.ids))
    return list(dict.fromkeys(filter(None, (witness.key, witness.key.partition("/")[2]))))


def _life(record: Record, steps: list[Step]) -> list[Step]:
    if not steps:
        return []
    ordered = sorted(dict.fromkeys(steps), key=lambda step: step.at)
    first, last = ordered[0].at, ordered[-1].at
    blows = [step for step in _blows(record) if first <= step.at <= last]
    return _merged(sorted([*ordered, *blows], key=lambda step: step.at))[:MOST]


def _blows(record: Record) -> Iterator[Step]:
    for blow in record.blows:
        yield Step(blow.inject, "fault", f"{blow.fault}: {blow.target}")
        if blow.healed is not None:
            yield Step(blow.healed, "healed", f"{blow.fault}: {blow.target}")


def _merged(steps: Iterable[Step]) -> list[Step]:
    """The same again right after itself is told once, with how often."""
    merged: list[Step] = []
    for step in steps:
        if merged and (merged[-1].kind, merged[-1].what) == (step.kind, step.what):
            before = merged.pop()
            merged.append(Step(before.at, step.kind, step.what, before.times + 1))
        else:
            merged.append(step)
    return merged


def _facts(kept: Kept, wanted: set[str]) -> Iterator[Fact]:
    began = kept.record.began
    intended: dict[int, list[str]] = {}
    for event in kept.history.events if wanted else ():
        at = seconds(event.at - began)
        if isinstance(event, Intended):
            intended[event.number] = [name for name in (event.message_id, event.key) if name in wanted and name]
        subjects = intended.get(event.number, []) if isinstance(event, Answered) else _subjects(event, wanted)
        for subject in subjects:
            yield Fact(subject, Step(at, *_words(event, subject)))


def _subjects(event: AnyEvent, wanted: set[str]) -> list[str]:
    """Whom of the wanted it is about."""
    match event:
        case Intended():
            names: Iterable[str] = (event.message_id or "", event.key)
        case Committed():
            names = (
                *(row.message_id for row in event.lane),
                *map(_text, (*event.armed, *event.fired, *event.answered)),
            )
        case Died() | Found():
            names = (_text(event.message_id),)
        case Requested():
            names = (_text(event.request),)
        case Charged() | Heard():
            names = (event.subject, event.key)
        case Blamed():
            names = (event.subject,)
        case Told():
            return [name for name in wanted if name in event.what]
        case _:
            return []
    return [name for name in dict.fromkeys(names) if name in wanted]


def _words(event: AnyEvent, subject: str) -> tuple[str, str]:
    match event:
        case Intended():
            return "meant", f"to publish it on {event.topic}, partition {event.partition}, for {event.key}"
        case Answered():
            return "confirmed", "the broker had it already" if event.position is None else f"at {event.position}"
        case Committed():
            return (
                "committed",
                f"{_part(event, subject)} by {event.owner}: {event.shard}, epoch {event.epoch} of {event.current}",
            )
        case Died():
            owner = "the owner" if event.owned else "no longer the owner"
            return "died", f"{event.owner} ended in the midst of it, {owner} of {event.shard}"
        case Found():
            return "in hand", f"who took {event.shard} found it in the hand of {event.owner}"
        case _:
            return _words_of_others(event)


def _words_of_others(event: AnyEvent) -> tuple[str, str]:
    match event:
        case Requested():
            return "asked", f"a person asked {event.shard}"
        case Charged():
            return "effect", f"the outside did it for {event.subject}, key {event.key}"
        case Heard():
            return "heard", f"the answer reached {event.shard}, epoch {event.epoch}" + (
                f": {event.says}" if event.says else ""
            )
        case Blamed():
            return "wrong", f"{event.promise}: {event.found}"
        case Told():
            return "told", event.what
        case _:
            return "seen", type(event).__name__


def _part(event: Committed, subject: str) -> str:
    """Which part of a commit it was."""
    rows = [row for row in event.lane if row.message_id == subject]
    if rows:
        return f"into the outbox as number {rows[0].number} for {rows[0].topic}, partition {rows[0].partition},"
    parts = (("as a timer", event.armed), ("as a timer that fired", event.fired), ("as an answer", event.answered))
    return next((words for words, ids in parts if subject in map(_text, ids)), "with its group")


def _text(message_id: bytes) -> str:
    return to_text(message_id) if len(message_id) == _ID else message_id.hex()
