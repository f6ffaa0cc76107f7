"""What is there at the end of a run: every topic, read from its first message, and the store through its views."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.history import Acknowledged
from magnetar.runtime.bus.port import Position
from magnetar.runtime.identity import foreign, id_of, to_text
from magnetar.runtime.store.parking import LetterStatus
from magnetar.runtime.store.port import Disposition
from magnetar.runtime.store.requests import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from magnetar.runtime.bus.memory import Broker
    from magnetar.runtime.bus.port import Delivery
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.care import CrashRow
    from magnetar.runtime.store.effects import EffectRow
    from magnetar.runtime.store.parking import DeadLetter, FailureRow, ParkedKey, ParkedRow
    from magnetar.runtime.store.port import JournalRow, OutboxRow, ShardName, ShardRow, StateRow, TimerRow
    from magnetar.runtime.store.views import Views
    from magnetar.runtime.wiring import Wiring


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Cursor(NamedTuple):
    """A subscription on a partition: up to where it is acknowledged, and how many messages are left."""

    actor: str
    place: Place
    acknowledged: Position | None
    backlog: int


_UNAPPLIED = {Disposition.PARKED.value, Disposition.DEAD.value}
_ALL = 1_000_000

NOWHERE = Position(-1, -1)
"""Before the first message."""


def shard_of(cursor: Cursor, wiring: Wiring) -> ShardName:
    """The shard that reads by this cursor."""
    return f"{cursor.actor}/{cursor.place.partition % wiring.actors[cursor.actor].policy.partitions}"


class Effect(NamedTuple):
    """A message that a journal row says it sent."""

    message_id: str
    topic: str
    key: str
    by: JournalRow


@dataclass(frozen=True, slots=True)
class Unapplied:
    """What could not be applied: rows that wait for each (actor, key) in order, why, each failure, who is dead.

    And each crash, of whatever message.
    """

    tails: dict[tuple[str, str], list[ParkedRow]] = field(default_factory=dict)
    keys: dict[tuple[str, str], ParkedKey] = field(default_factory=dict)
    failures: list[FailureRow] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    crashes: list[CrashRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The final state.

    `schemas` are the texts that the store keeps, by fingerprint; `requests` what became of those that people asked, by
    id; `timelines` the applied rows of each (actor, key), by version; `effects` what the journal says was sent;
    `copies` where each message is, by its id's text, but for letters about it; `exhumed` the dead letters that were
    replayed. `errands` are the effects of each (actor, key) that have no outcome.
    """

    wiring: Wiring
    at: Instant
    logs: Mapping[Place, list[Delivery]]
    cursors: list[Cursor]
    shards: Mapping[ShardName, ShardRow]
    journal: Mapping[tuple[str, bytes], JournalRow]
    states: Mapping[tuple[str, str], StateRow]
    timers: Mapping[tuple[str, str], list[TimerRow]]
    unsent: list[OutboxRow]
    rows: Mapping[str, list[tuple[object, ...]]]
    schemas: Mapping[str, str]
    unapplied: Unapplied = field(default_factory=Unapplied)
    requests: Mapping[bytes, Request] = field(default_factory=dict[bytes, Request])
    errands: dict[tuple[str, str], list[EffectRow]] = field(default_factory=dict)
    timelines: dict[tuple[str, str], list[JournalRow]] = field(init=False, default_factory=dict)
    effects: list[Effect] = field(init=False, default_factory=list)
    copies: dict[str, list[Place]] = field(init=False, default_factory=dict)
    exhumed: set[tuple[str, bytes]] = field(init=False, default_factory=set)
    _partitions: Counter[str] = field(init=False, default_factory=Counter[str])

    def __post_init__(self) -> None:
        replayed = LetterStatus.REPLAYED.value
        self.exhumed.update((row.actor, row.message_id) for row in self.unapplied.dead if row.status == replayed)
        for row in self.journal.values():
            if row.disposition == Disposition.APPLIED.value:
                self.timelines.setdefault((row.actor, row.key), []).append(row)
            for entry in json.loads(row.sent):
                if "id" in entry:
                    self.effects.append(Effect(entry["id"], entry["to"], entry["key"], row))
        for timeline in self.timelines.values():
            timeline.sort(key=lambda row: row.version)
        self._partitions.update(place.topic for place in self.logs)  # asked of each effect
        for place, log in self.logs.items():
            for delivery in log if place.topic not in self.wiring.letters else ():
                text = delivery.properties.get("message_id") or to_text(message_id_at(place, delivery))
                self.copies.setdefault(text, []).append(place)

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has."""
        return self._partitions[topic]


def message_id_at(place: Place, delivery: Delivery) -> bytes:
    """The id under which the engine knows a message: by its property, or by its place when it is foreign."""
    text = delivery.properties.get("message_id")
    return foreign(f"{place}/{delivery.position}") if text is None else id_of(text)


def gather(wiring: Wiring, broker: Broker, views: Views, at: Instant, asked: Iterable[bytes] = ()) -> Evidence:
    """Read everything, and what became of the requests `asked`. Nothing may be running meanwhile."""
    places = [Place(name, number) for name in broker.topics() for number in range(len(broker.topic(name).partitions))]
    journal = {(row.actor, row.message_id): row for actor in wiring.actors for row in views.journal_of(actor)}
    states = {(row.actor, row.key): row for actor in wiring.actors for row in views.states_of(actor)}
    return Evidence(
        wiring=wiring,
        at=at,
        logs={place: broker.log(*place) for place in places},
        cursors=cursors_of(wiring, broker),
        shards={row.shard: row for row in views.shards()},
        journal=journal,
        states=states,
        timers={who: views.timers_of(*who) for who in states},
        unsent=[row for actor in wiring.actors for row in views.unsent_of(actor)],
        rows={table.name: list(views.rows_of(table.name)) for table in wiring.tables()},
        schemas=views.schemas(),
        unapplied=unapplied(wiring, views, journal),
        requests={request.id: request for request in views.requests(list(asked))},
        errands={who: views.effects_of(*who) for who in states if wiring.actors[who[0]].effects},
    )


def unapplied(wiring: Wiring, views: Views, journal: Mapping[tuple[str, bytes], JournalRow]) -> Unapplied:
    """Read what waits and what is dead."""
    stuck = sorted({(row.actor, row.key) for row in journal.values() if row.disposition in _UNAPPLIED})
    return Unapplied(
        tails={who: views.parked_of(*who, _ALL) for who in stuck},
        keys={who: key for who in stuck if (key := views.parked_key(*who)) is not None},
        failures=[row for actor in wiring.actors for row in views.all_failures_of(actor)],
        crashes=[row for actor in wiring.actors for row in views.all_crashes_of(actor)],
        dead=[row for actor in wiring.actors for row in views.dead_letters(actor, _ALL)],
    )


def cursors_of(wiring: Wiring, broker: Broker) -> list[Cursor]:
    """Every subscription of the app."""
    return [
        Cursor(
            actor,
            Place(topic.name, number),
            broker.acknowledged(topic.name, number, subscription),
            broker.backlog(topic.name, number, subscription),
        )
        for topic in wiring.topics.values()
        for actor, subscription in zip(topic.takers, topic.subscriptions, strict=True)
        for number in range(len(broker.topic(topic.name).partitions))
    ]


def acknowledgements(
    at: Instant, wiring: Wiring, cursors: Iterable[Cursor], shards: Mapping[ShardName, ShardRow]
) -> Iterator[Acknowledged]:
    """What is acknowledged, beside what is committed."""
    for cursor in cursors:
        if cursor.acknowledged is not None:
            shard = shard_of(cursor, wiring)
            committed = shards[shard].positions.get(str(cursor.place), NOWHERE)
            yield Acknowledged(at, shard, str(cursor.place), cursor.acknowledged, committed)
