"""What one turn takes from the shards: deliveries, fired timers and mail, in order, with a way to give it all back."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.bus.port import Delivery, Position
    from magnetar.runtime.errors import MisuseError
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.effects import EffectMove
    from magnetar.runtime.store.port import ShardChanges, TimerRow
    from magnetar.runtime.worker.answers import Told
    from magnetar.runtime.worker.arrival import Arrival
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


@dataclass(slots=True)
class Batch:
    """What one shard gave to this turn: parked keys that go on, fired timers, outcomes, mail, deliveries by feed.

    In this order; then the arrivals made of it, of which `tails` are those of the parked keys, head first. `moves` are
    attempts at effects that begin, or have ended without an outcome.
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

    def give_back(self) -> None:
        """Put everything back where it was, to be taken first again."""
        for feed, deliveries in self.deliveries:
            feed.returned.extendleft(reversed(deliveries))
        self.shard.parking.give_back(self.keys)
        self.shard.due.extendleft(reversed(self.due))
        self.shard.errands.moves.extendleft(reversed(self.moves))
        self.shard.errands.told.extendleft(reversed(self.told))
        self.shard.mail.extendleft(reversed(self.mail))
        self.shard.in_turn = False
        if self.shard.stopped.is_set():  # it was lost meanwhile: nobody will take this
            self.shard.refuse_mail()

    @property
    def size(self) -> int:
        """How many arrivals it holds, decoded or not."""
        taken = len(self.keys) + len(self.due) + len(self.moves) + len(self.told) + len(self.mail)
        return taken + sum(len(deliveries) for _, deliveries in self.deliveries)

    def enter(self, changes: ShardChanges) -> None:
        """What is committed of it beside its arrivals: how far it goes, and the moves of effects."""
        changes.positions = self.positions()
        if self.moves:
            changes.to_ask().moved += self.moves

    def positions(self) -> dict[str, Position]:
        """The last position taken of each feed."""
        return {feed.name: feed.reached(deliveries[-1].position) for feed, deliveries in self.deliveries}


@dataclass(slots=True)
class Group:
    """One turn's work: the batches, and after handling their parts."""

    batches: list[Batch]
    parts: list[Handled] = field(default_factory=list)


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
    if shard.lane.full or now < shard.waits_until:
        return None
    batch = Batch(shard)
    while room > 0 and (key := shard.parking.take()) is not None:
        batch.keys.append(key)
        room -= 1
    batch.moves = shard.errands.take_moves(room)
    room -= len(batch.moves)
    if not shard.parking.full:
        _take_what_came(batch, room)
    if not batch.size:
        return None
    shard.in_turn = True
    return batch


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
