"""What is tried: samples of released versions, each as one of the rows that an older release may have left. Pure."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from magnetar.runtime.identity import foreign
from magnetar.runtime.worker.arrival import EFFECT, TIMER
from magnetar.schemas import Command, Event, Outcome, Schema, SchemaInvalid, contract_name
from magnetar.schemas import Timer as TimerMessage
from magnetar.schemas.bytewise import read_long
from magnetar.schemas.shapes import Record, Union

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from magnetar.runtime.wiring import ActorPlan, Topic, Wiring
    from magnetar.schemas import Message


class Way(StrEnum):
    """As what a message was left."""

    PARKED = "parked"
    TIMER = "timer"
    LETTER = "dead letter"
    UNSENT = "unsent message"
    EFFECT = "effect"


class Left(NamedTuple):
    """Bytes of one version of a contract, and its schema's text. `version` is '' for what this code writes itself."""

    contract: str
    version: str
    text: str
    body: bytes

    @property
    def fingerprint(self) -> str:
        """Of its schema."""
        return Schema.parse(self.text).fingerprint


class Trial(NamedTuple):
    """One message that was left for one key, and perhaps the key's state. `source` is as in a journal's row.

    `about` is which of the two is tried: the other one is as the newest version has it. It is the `nth` sample of its
    version (the full one, the least, the largest); `number` is the trial's own.
    """

    way: Way
    actor: str
    key: str
    type: str
    source: str
    message: Left
    state: Left | None
    number: int = 0
    nth: int = 0

    @property
    def about(self) -> Left:
        """What is tried."""
        return self.message if self.state is None else self.state

    @property
    def twin(self) -> tuple[str, ...]:
        """The same for the same sample of each version, in whatever way it was left."""
        return (self.actor, self.type, self.about.contract, str(self.state is None), str(self.nth))

    @property
    def id(self) -> bytes:
        """Of the message: the same whenever it is tried."""
        return foreign(f"left {self.number}")


class Sampled(NamedTuple):
    """A message that an actor handles, where it comes from, and a sample of it."""

    type: str
    source: str
    left: Left


def trials_of(wiring: Wiring, left: Mapping[str, Sequence[Left]]) -> list[Trial]:
    """Return all trials of an app. `left`: samples by contract (a topic's as ``topics/<name>``), oldest version first.

    Each sample of a state meets each message that its actor handles. Each sample of a message is parked, and the first
    of each version, which is the full one, is left in every other way, too.
    """
    found: list[Trial] = []
    samples: Counter[tuple[str, ...]] = Counter()
    for plan in wiring.actors.values():
        for trial in (*_stepped(plan, left), *_taken(plan, left), *_asked(plan, left)):
            counted = (*trial.twin, trial.way, trial.about.version)
            nth, number = samples[counted], len(found)
            samples[counted] += 1
            found.append(trial._replace(key=f"left-{number}", number=number, nth=nth))
    return found


def _stepped(plan: ActorPlan, left: Mapping[str, Sequence[Left]]) -> Iterator[Trial]:
    newest: dict[str, Sampled] = {}
    for each in _messages(plan, left):
        known = newest.get(each.type)
        if known is None or known.left.version != each.left.version:
            newest[each.type] = each  # the first sample of a version is the full one
    for state in left.get(contract_name(plan.state), ()):
        for each in newest.values():
            yield Trial(_way(each), plan.name, "", *each, state)


def _taken(plan: ActorPlan, left: Mapping[str, Sequence[Left]]) -> Iterator[Trial]:
    full: set[tuple[str, str]] = set()
    for each in _messages(plan, left):
        is_full = (each.type, each.left.version) not in full
        full.add((each.type, each.left.version))
        for way in _ways(each) if is_full else [Way.PARKED]:
            yield Trial(way, plan.name, "", *each, None)


def _ways(each: Sampled) -> list[Way]:
    if each.source == TIMER:
        return [Way.PARKED, Way.LETTER, Way.TIMER]
    return [Way.PARKED, Way.LETTER] if each.source == EFFECT else [Way.PARKED, Way.LETTER, Way.UNSENT]


def _asked(plan: ActorPlan, left: Mapping[str, Sequence[Left]]) -> Iterator[Trial]:
    for name in plan.effects:
        for each in left.get(name, ()):
            yield Trial(Way.EFFECT, plan.name, "", name, EFFECT, each, None)


def _way(each: Sampled) -> Way:
    return Way.TIMER if each.source == TIMER else Way.PARKED


def _messages(plan: ActorPlan, left: Mapping[str, Sequence[Left]]) -> Iterator[Sampled]:
    """Samples of whatever the actor has a handler for. What it has none for is the gate's to judge."""
    for kind in plan.handlers:
        if issubclass(kind, TimerMessage | Outcome):
            source = TIMER if issubclass(kind, TimerMessage) else EFFECT
            yield from (Sampled(contract_name(kind), source, each) for each in left.get(contract_name(kind), ()))
    for topic in plan.sources:
        handled = _handled(plan, topic)
        for each in left.get(f"topics/{topic.name}", ()):
            name = _branch(each)
            if name in handled:
                yield Sampled(name, f"{topic.name}/0", each)


def _handled(plan: ActorPlan, topic: Topic) -> set[str]:
    handled: list[type[Message]] = [kind for kind in topic.types if kind in plan.handlers]
    return {contract_name(kind) for kind in handled if issubclass(kind, Command | Event)}


def _branch(left: Left) -> str:
    """Which message the bytes of a topic's record hold; '' where its schema is of another kind."""
    shape = Schema.parse(left.text).shape
    try:
        [body] = Schema.parse(left.text).record.fields
    except (SchemaInvalid, ValueError):
        return ""
    node = shape.actual(body.type)
    if isinstance(node, Union):
        node = shape.actual(node.branches[read_long(left.body, 0)[0]])
    return node.name if isinstance(node, Record) else ""
