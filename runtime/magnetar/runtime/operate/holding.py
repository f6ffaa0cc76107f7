"""What a store holds, read as an app's workers would read it: how much there is of what, and what they could not read.

Bytes that not even their own writer's schema can read are *damaged*: no release is to blame, and none can help them. A
dead letter may be one: that is why it died.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from magnetar.runtime import envelope as wire
from magnetar.runtime.operate.decoding import Decoding
from magnetar.runtime.store.effects import EffectRow
from magnetar.runtime.store.held import HeldRow, What
from magnetar.runtime.store.parking import ParkedRow
from magnetar.runtime.store.port import StateRow, TimerRow
from magnetar.runtime.worker.reading import Reader
from magnetar.schemas import DecodeFailed, Kept, Schema, SchemaUnavailable, WriterSchemas

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from magnetar.runtime.store.held import Held
    from magnetar.runtime.wiring import ActorPlan, Wiring

MOST_NAMED = 20
"""So many rows of each kind and reason are named unless more are asked for."""

_properties = msgspec.json.Decoder(dict[str, str]).decode


class HeldGroup(msgspec.Struct, frozen=True):
    """Rows of one kind, actor, type, schema (a fingerprint) and generation of the code that had their shard last."""

    what: str
    actor: str
    type: str
    schema: str
    generation: int
    rows: int


class Named(msgspec.Struct, frozen=True):
    """One row: its key, its message's id (hex digits) and its name, each empty where it has none."""

    key: str
    id: str
    name: str


class Unreadable(msgspec.Struct, frozen=True):
    """Rows that this app's workers could not read; some of them named. `reason` is the first one's."""

    what: str
    actor: str
    type: str
    schema: str
    reason: str
    rows: int
    named: list[Named]


class Holding(msgspec.Struct, frozen=True):
    """All of it. `later`: shards that code of a later generation has owned, which this app's may not take (R16)."""

    held: list[HeldGroup]
    unreadable: list[Unreadable]
    damaged: int
    later: dict[str, int]

    @property
    def well(self) -> bool:
        """Whether this app's workers could go on with all of it."""
        return not self.unreadable and not self.later


def survey(held: Held, wiring: Wiring, most: int = MOST_NAMED) -> Holding:
    """Read every row. Raises what the store raises."""
    generations = held.generations()
    survey = _Survey(wiring, held.schemas(), generations, most)
    for what in What:
        for row in held.rows(what):
            survey.take(what, row)
    later = {shard: number for shard, number in sorted(generations.items()) if number > wiring.contracts}
    groups = [HeldGroup(*group, rows) for group, rows in sorted(survey.counts.items())]
    return Holding(groups, [each.told() for _, each in sorted(survey.failed.items())], survey.damaged, later)


@dataclass(slots=True)
class _Failed:
    """Rows of one kind, actor, type and schema, as they are found."""

    place: tuple[str, str, str, str]
    reason: str
    rows: int = 0
    named: list[Named] = field(default_factory=list)

    def told(self) -> Unreadable:
        return Unreadable(*self.place, self.reason, self.rows, self.named)


class _Survey:
    """One pass over a store."""

    def __init__(self, wiring: Wiring, texts: Mapping[str, str], generations: Mapping[str, int], most: int) -> None:
        self._wiring = wiring
        self._generations = generations
        self._most = most
        self._decoding = Decoding(texts)
        self._names: dict[str, str] = {}
        self._writers = WriterSchemas([Schema.parse(text) for text in texts.values()], _nowhere, lambda: 0.0)
        self._reader = Reader(self._writers)
        self._ways: Mapping[What, Callable[[ActorPlan, HeldRow], Exception | None]] = {
            What.STATES: self._state,
            What.TIMERS: self._timer,
            What.PARKED: self._parked,
            What.LETTERS: self._parked,
            What.EFFECTS: self._effect,
        }
        self.counts: Counter[tuple[str, str, str, str, int]] = Counter()
        self.failed: dict[tuple[str, str, str, str], _Failed] = {}
        self.damaged = 0

    def take(self, what: What, row: HeldRow) -> None:
        """Count it, and read it."""
        row = _addressed(row) if what is What.OUTBOX else row
        kind = row.type or self._name(row.schema)
        self.counts[what.value, row.actor, kind, row.schema, self._generations.get(row.shard, 0)] += 1
        problem = self._problem(what, row)
        if problem is None:
            return
        if self._decoding.read(row.body, row.schema, row.type).problem:
            self.damaged += 1
        else:
            self._fail((what.value, row.actor, kind, row.schema), row, _reason(problem))

    def _problem(self, what: What, row: HeldRow) -> Exception | None:
        try:
            if what is What.OUTBOX:
                return self._outgoing(row)
            plan = self._wiring.actors.get(row.actor)
            return Nobody(f"there is no actor {row.actor!r} here") if plan is None else self._ways[what](plan, row)
        except (DecodeFailed, SchemaUnavailable) as error:
            return error

    def _state(self, plan: ActorPlan, row: HeldRow) -> None:
        self._reader.state(plan, StateRow(row.actor, row.key, row.shard, 1, row.schema, row.body, 0))

    def _timer(self, plan: ActorPlan, row: HeldRow) -> Exception | None:
        timer = TimerRow(row.actor, row.key, row.name, row.shard, row.id, 0, row.type, row.schema, row.body, "", "")
        return self._reader.timer(plan, timer).problem

    def _parked(self, plan: ActorPlan, row: HeldRow) -> Exception | None:
        parked = ParkedRow(
            row.actor, row.key, 1, row.shard, row.id, row.type, row.schema, row.body, row.source, "", "", "", 0, 0,
            row.properties, row.name, 0,
        )  # fmt: skip
        return self._reader.parked(plan, parked, 0).problem

    def _effect(self, plan: ActorPlan, row: HeldRow) -> Exception | None:
        effect = plan.effects.get(row.type)
        if effect is None:
            return Nobody(f"actor {plan.name!r} has no function for effect {row.type}")
        asked = EffectRow(
            row.actor, row.id, row.shard, row.key, row.name, row.type, row.schema, row.body, "", "", 0, "", 0, 0, 0,
            "", "",
        )  # fmt: skip
        self._reader.request(plan, effect, asked)
        return None

    def _outgoing(self, row: HeldRow) -> Exception | None:
        """What is on its way is read by whoever takes it; letters are read by nobody here."""
        if row.source in self._wiring.letters:
            return None
        topic = self._wiring.topics.get(row.source)
        if topic is None:
            return Nobody(f"no topic {row.source!r} is of this app: its workers would stop before it")
        writer = self._writers.find(topic.name, None, row.schema)
        topic.codec.decode(row.body, writer, Kept(row.source, row.key, row.schema))
        return None

    def _name(self, fingerprint: str) -> str:
        found = self._names.get(fingerprint)
        if found is None:
            try:
                found = self._writers.find("", None, fingerprint).name
            except SchemaUnavailable:
                found = ""
            self._names[fingerprint] = found
        return found

    def _fail(self, place: tuple[str, str, str, str], row: HeldRow, reason: str) -> None:
        failed = self.failed.setdefault(place, _Failed(place, reason))
        failed.rows += 1
        if len(failed.named) < self._most:
            failed.named.append(Named(row.key, row.id.hex(), row.name))


class Nobody(Exception):
    """Nobody here has what a row is for."""


def _addressed(row: HeldRow) -> HeldRow:
    """An outbox row with what its properties say."""
    properties = _properties(row.properties)
    message_id = properties.get(wire.MESSAGE_ID, "").replace("-", "")
    return row._replace(
        type=properties.get(wire.TYPE, ""),
        schema=properties.get(wire.SCHEMA, ""),
        id=bytes.fromhex(message_id) if _is_hex(message_id) else b"",
    )


def _is_hex(text: str) -> bool:
    return len(text) == 32 and all(letter in "0123456789abcdef" for letter in text)  # noqa: PLR2004 - of a UUID


def _reason(problem: Exception) -> str:
    return f"{problem.path}: {problem.reason}" if isinstance(problem, DecodeFailed) else str(problem)


def _nowhere(topic: str, version: int) -> Any:  # noqa: ANN401, ARG001 - a store keeps all the schemas that it needs
    return None
