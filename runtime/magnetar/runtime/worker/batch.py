"""What one turn takes from the shards: deliveries, fired timers and mail, in order, with a way to give it all back."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from magnetar.runtime.bus.port import BusError
from magnetar.runtime.identity import to_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.bus.port import Delivery, Position
    from magnetar.runtime.errors import MisuseError
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.effects import EffectMove
    from magnetar.runtime.store.port import ShardChanges, TimerRow
    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.worker.answers import Told
    from magnetar.runtime.worker.arrival import Arrival
    from magnetar.runtime.worker.asked import Asked
    from magnetar.runtime.worker.handling import Handled
    from magnetar.runtime.worker.shard import Feed, Mail, Shard
    from magnetar.schemas import EncodeFailed

_log = logging.getLogger("magnetar.worker")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one group.

    `group`: arrivals in all, `tail`: parked messages of one key. `tidy`: seconds after which settled outbox rows are
    deleted though nothing arrives. `idle`: seconds after which an entity without mail leaves memory; `live`: so many
    may be in memory at once.
    """

    group: int = 512
    tidy: float = 0.5
    schema_retry: float = 1.0
    store_retry: float = 0.2
    tail: int = 100
    idle: float = 600.0
    live: int = 1_000_000


class Suspect(NamedTuple):
    """A message, or a request, by its id and where it is."""

    id: bytes
    source: str
    at: str


@dataclass(slots=True)
class Batch:
    """What one shard gave to this turn: parked keys that go on, fired timers, outcomes, mail, deliveries by feed.

    Then the arrivals made of it; `tails` are those of the parked keys, head first. `moves` are attempts at effects that
    begin, or have ended without an outcome. Or it is one `request`, and nothing else: `asked` is that with what it is
    about.
    """

    shard: Shard
    deliveries: list[tuple[Feed, list[Delivery]]] = field(default_factory=list)
    due: list[TimerRow] = field(default_factory=list)
    moves: list[EffectMove] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    mail: list[Mail] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    tails: list[Arrival] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    request: Request | None = None
    asked: Asked | None = None

    def give_back(self) -> None:
        """Put everything back where it was, to be taken first again."""
        for feed, deliveries in self.deliveries:
            feed.returned.extendleft(reversed(deliveries))
        self.shard.parking.give_back(self.keys)
        self.shard.due.extendleft(reversed(self.due))
        self.shard.errands.moves.extendleft(reversed(self.moves))
        self.shard.errands.told.extendleft(reversed(self.told))
        self.shard.mail.extendleft(reversed(self.mail))
        if self.request is not None:
            self.shard.requests.appendleft(self.request)
        self.shard.in_turn = False
        if self.shard.stopped.is_set():  # it was lost meanwhile: nobody will take this
            self.shard.refuse_mail()

    @property
    def size(self) -> int:
        """How many arrivals it holds, decoded or not."""
        taken = len(self.keys) + len(self.due) + len(self.moves) + len(self.told) + len(self.mail)
        deliveries = sum(len(deliveries) for _, deliveries in self.deliveries)
        return taken + deliveries + (self.request is not None)

    def enter(self, changes: ShardChanges) -> None:
        """What is committed of it beside its arrivals: how far it goes, and the moves of effects."""
        changes.positions = self.positions()
        if self.moves:
            changes.to_ask().moved += self.moves

    def involved(self) -> list[Arrival]:
        """The arrivals, and the message that its request is about."""
        asked = self.asked
        return self.arrivals if asked is None or asked.arrival is None else [asked.arrival]

    def suspects(self) -> list[Suspect]:
        """Whatever in it may have given rise to rows that the store refuses (R9)."""
        if self.request is not None:
            return [Suspect(self.request.id, "requests", to_text(self.request.id))]
        return [Suspect(arrival.message_id, arrival.envelope.source, arrival.at) for arrival in self.arrivals]

    def positions(self) -> dict[str, Position]:
        """The last position taken of each feed."""
        return {feed.name: feed.reached(deliveries[-1].position) for feed, deliveries in self.deliveries}


@dataclass(slots=True)
class Group:
    """One turn's work: the batches, and after handling their parts."""

    batches: list[Batch]
    parts: list[Handled] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many arrivals it holds, decoded or not."""
        return sum(batch.size for batch in self.batches)


def gather(shards: Iterable[Shard], room: int, now: Instant) -> list[Batch]:
    """What is there, round-robin in the order given, up to `room` arrivals in all (R21)."""
    batches: list[Batch] = []
    for shard in shards:
        batch = _batch(shard, room, now)
        if batch is not None:
            batches.append(batch)
            room -= batch.size
        if room <= 0:
            break
    return batches


def _batch(shard: Shard, room: int, now: Instant) -> Batch | None:
    batch, stops = Batch(shard), shard.lane.full or now < shard.waits_until
    if stops or not _take_request(batch):
        batch.moves = shard.errands.take_moves(room)  # a shard that stops keeps no slot from others
    if not stops and batch.request is None:
        _take_arrivals(batch, room - len(batch.moves))
    if not stops and not batch.size and shard.requests:  # nothing else is there: no need to wait for the next turn
        _take_request(batch)
    if not batch.size:
        return None
    shard.in_turn = True
    return batch


def _take_request(batch: Batch) -> bool:
    """R27: one at a time, and in turn with what else arrives, so that neither waits for long."""
    shard = batch.shard
    shard.serves = bool(shard.requests) and not shard.serves
    if shard.serves:
        batch.request = shard.requests.popleft()
    return shard.serves


def _take_arrivals(batch: Batch, room: int) -> None:
    shard = batch.shard
    if shard.halted:
        return
    while room > 0 and (key := shard.parking.take()) is not None:
        batch.keys.append(key)
        room -= 1
    if not shard.parking.full:
        _take_what_came(batch, room)


def _take_what_came(batch: Batch, room: int) -> None:
    shard = batch.shard
    while shard.due and room > 0:
        batch.due.append(shard.due.popleft())
        room -= 1
    batch.told = shard.errands.take_told(room)
    room -= len(batch.told)
    while shard.mail and room > 0:
        batch.mail.append(shard.mail.popleft())
        room -= 1
    for feed in shard.feeds:
        if room <= 0:
            break
        deliveries = _take_from(feed, room)
        if deliveries:
            batch.deliveries.append((feed, deliveries))
            room -= len(deliveries)


def _take_from(feed: Feed, room: int) -> list[Delivery]:
    """What was given back first, then what the source has."""
    if not feed.returned:
        try:
            return feed.source.take(room)
        except BusError as error:
            # The consumer is gone: ownership sees that it is not connected, and takes the shard anew (R32).
            _log.debug("%s: %s", feed.name, error)
            return []
    count = min(room, len(feed.returned))
    return [feed.returned.popleft() for _ in range(count)]


def refuse(mail: Mail, error: MisuseError | EncodeFailed) -> None:
    """A told message that nobody takes is its teller's mistake: an asker gets the error, a teller's log does."""
    if mail.reply is not None:
        mail.reply.set_exception((type(error), error, None))
    else:
        _log.error("dropped a message told to key %r: %s", mail.key, error)
