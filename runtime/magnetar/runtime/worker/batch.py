"""What one turn takes from the shards: deliveries, fired timers and mail, in order, with a way to give it all back."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from magnetar.runtime.bus.port import BusError
from magnetar.runtime.identity import id_of, to_text
from magnetar.runtime.worker.asked import to_be_tried

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from magnetar.runtime.bus.port import Delivery, Position
    from magnetar.runtime.errors import MisuseError
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.care import Hand
    from magnetar.runtime.store.effects import EffectMove
    from magnetar.runtime.store.parking import ParkedRow
    from magnetar.runtime.store.port import ShardChanges, TimerRow
    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.worker.answers import Told
    from magnetar.runtime.worker.arrival import Arrival
    from magnetar.runtime.worker.asked import Asked
    from magnetar.runtime.worker.custody import Careful
    from magnetar.runtime.worker.failing import Unread
    from magnetar.runtime.worker.part import Handled
    from magnetar.runtime.worker.reading import Name
    from magnetar.runtime.worker.shard import Feed, Mail, Shard
    from magnetar.schemas import EncodeFailed

_log = logging.getLogger("magnetar.worker")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one group.

    `group`: arrivals in all, `tail`: parked messages of one key, `few`: arrivals of a shard, and parked messages of one
    key, after its owner was lost (R25). `tidy`: seconds after which settled outbox rows are
    deleted though nothing arrives. `idle`: seconds after which an entity without mail leaves memory; `live`: so many
    may be in memory at once.
    """

    group: int = 512
    tidy: float = 0.5
    schema_retry: float = 1.0
    store_retry: float = 0.2
    tail: int = 100
    few: int = 8
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

    Then the names of the deliveries, feed by feed, and the arrivals made of it; `tails` are those of the parked keys,
    head first. `moves` are attempts at effects that begin, or have ended without an outcome. Or it is one `request`,
    and nothing else: `asked` is that with what it is about.

    `alone`: it holds one arrival that must go alone (R25), `named` is its id, `hand` what is in hand while it is
    opened, and `rows` is the head of the key that goes on. `crashes`: with how many it was charged when it was in hand
    the last time; not `opened`: those are as many as it may have. `behind`: it holds what is committed already.
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
    alone: bool = False
    behind: bool = False
    opened: bool = True
    named: bytes | None = None
    hand: Hand | None = None
    crashes: int = 0
    rows: list[ParkedRow] = field(default_factory=list)
    names: list[list[Name]] = field(default_factory=list)

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

    def drop_closed(self) -> None:
        """What was to be written of effects that the group before this one has closed: they need no attempt more."""
        self.moves = [move for move in self.moves if move.row.effect_id in self.shard.errands.rows]

    def advance(self) -> None:
        """It is committed: its request goes alone no more, and of each feed there are so many fewer that need care.

        Before the feeds know what is applied: what was applied already is not counted.
        """
        careful = self.shard.custody.careful
        if self.request is not None:
            self.shard.custody.suspects.discard(self.request.id)
        if careful is not None:
            for feed, deliveries in self.deliveries:
                left, new = careful.left[feed.name], len(deliveries) - feed.known(deliveries)
                careful.left[feed.name] = left - new
                if 0 < left <= new:
                    careful.look_at = 0

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

    def leave_unread(self, unread: Mapping[tuple[str, str], Unread]) -> None:
        """Whatever is for a key whose state cannot be loaded waits for code that can."""
        actor = self.shard.plan.name
        self.arrivals = [_unread(arrival, unread.get((actor, arrival.key))) for arrival in self.arrivals]
        if self.asked is not None and (arrival := self.asked.arrival) is not None:
            self.asked = self.asked._replace(arrival=_unread(arrival, unread.get((actor, arrival.key))))

    def suspects(self) -> list[Suspect]:
        """Whatever in it may have given rise to rows that the store refuses (R9)."""
        if self.request is not None:
            return [Suspect(self.request.id, "requests", to_text(self.request.id))]
        return [Suspect(arrival.message_id, arrival.envelope.source, arrival.at) for arrival in self.arrivals]

    def positions(self) -> dict[str, Position]:
        """The last position taken of each feed."""
        return {feed.name: feed.reached(deliveries[-1].position) for feed, deliveries in self.deliveries}


def _unread(arrival: Arrival, why: Unread | None) -> Arrival:
    return arrival if why is None or arrival.problem is not None else replace(arrival, problem=why)


@dataclass(slots=True)
class Group:
    """One turn's work: the batches, and after handling their parts."""

    batches: list[Batch]
    parts: list[Handled] = field(default_factory=list)

    @property
    def hand(self) -> Hand | None:
        """What must be in hand while the group is opened and handled: its only arrival, or nothing."""
        return self.batches[0].hand if self.batches else None

    @property
    def size(self) -> int:
        """How many arrivals it holds."""
        return sum(batch.size for batch in self.batches)

    def leave_out(self, batch: Batch) -> None:
        """Nothing comes of it in this group: it is given back."""
        batch.give_back()
        self.batches.remove(batch)


def gather(shards: Iterable[Shard], room: int, few: int, now: Instant) -> list[Batch]:
    """What is there, round-robin in the order given, up to `room` arrivals in all (R21), `few` of a careful shard."""
    batches: list[Batch] = []
    for shard in shards:
        batch = _batch(shard, room if shard.custody.careful is None else min(room, few), now)
        if batch is not None:
            batches.append(batch)
            room -= batch.size
        if room <= 0:
            break
    return batches


def gather_alone(shards: Iterable[Shard], room: int, now: Instant) -> list[Batch]:
    """One arrival that must go alone, of the first shard that has one; or what is behind already, up to `room`."""
    for shard in shards:
        suspicious = shard.parking.suspects or _tells_alone(shard) or _asks_alone(shard)
        if not shard.custody.alone and not suspicious:
            continue
        if not shard.lane.full and now >= shard.waits_until and not shard.custody.found:
            batch = Batch(shard, alone=True)
            _take_one(batch, room)
            if batch.size:
                shard.in_turn = True
                return [batch]
    return []


def _take_one(batch: Batch, room: int) -> None:
    """In the order of a group: what waits inside the shard, then feed by feed, as many of each as a group holds.

    What an older copy of a store handles again then meets in the order of the first time, as far as it can. A request
    has its turn as in any group.
    """
    shard, alone = batch.shard, batch.shard.custody.alone
    if (alone or _asks_alone(shard)) and _take_request(batch, alone=True):
        return
    if not shard.halted:
        _take_one_arrival(batch, room)
    if not batch.size and (alone or _asks_alone(shard)):
        _take_request(batch, alone=True)


def _asks_alone(shard: Shard) -> bool:
    """Whether a person has asked for a dead letter to be tried that may end the worker, as far as is known."""
    custody = shard.custody
    if not shard.requests or not (custody.suspects or custody.charged):
        return False
    request = shard.requests[0]
    letter = to_be_tried(shard, request)
    return bool(letter) and (request.id in custody.suspects or id_of(letter) in custody.charged)


def _take_one_arrival(batch: Batch, room: int) -> None:
    shard, careful = batch.shard, batch.shard.custody.careful
    key = shard.parking.take_suspect()
    if key is None and shard.custody.alone:
        key = shard.parking.take()
    if key is not None:
        batch.keys.append(key)
    elif careful is not None and shard.custody.alone and not shard.parking.full:
        _take_one_that_came(batch, careful, room)
    elif _tells_alone(shard) and not shard.parking.full:
        batch.told = shard.errands.take_told(1)


def _take_one_that_came(batch: Batch, careful: Careful, room: int) -> None:
    shard = batch.shard
    if shard.due:
        batch.due.append(shard.due.popleft())
    elif shard.errands.told:
        batch.told = shard.errands.take_told(1)
    elif shard.mail:
        batch.mail.append(shard.mail.popleft())
    else:
        _take_from_one(batch, [feed for feed in shard.feeds if careful.owes(feed.name)], room)


def _tells_alone(shard: Shard) -> bool:
    """Whether the next outcome of an effect may be what the last owner has ended of, or surely is."""
    told = shard.errands.told
    return bool(told) and (
        told[0].row.effect_id in shard.errands.suspects or told[0].message_id in shard.custody.charged
    )


def _take_from_one(batch: Batch, feeds: Iterable[Feed], room: int) -> None:
    """The first delivery of the first feed that has any; or all that are behind, for they need not be opened."""
    for feed in feeds:
        deliveries = _take_from(feed, room)
        if deliveries:
            count = feed.known(deliveries)
            batch.behind = count > 0
            batch.deliveries.append((feed, deliveries[: max(1, count)]))
            feed.returned.extendleft(reversed(deliveries[max(1, count) :]))
            return


def _batch(shard: Shard, room: int, now: Instant) -> Batch | None:
    batch, stops, alone = Batch(shard), shard.lane.full or now < shard.waits_until, shard.custody.alone
    if stops or alone or not _take_request(batch):
        batch.moves = shard.errands.take_moves(room)  # a shard that stops keeps no slot from others
    if not stops and batch.request is None:
        (_take_what_owes_nothing if alone else _take_arrivals)(batch, room - len(batch.moves))
    if not stops and not alone and not batch.size and shard.requests:  # nothing else is there: not in the next turn
        _take_request(batch)
    if not batch.size:
        return None
    shard.in_turn = True
    return batch


def _take_request(batch: Batch, *, alone: bool = False) -> bool:
    """R27: one at a time, and in turn with what else arrives, so that neither waits for long."""
    shard = batch.shard
    shard.serves = bool(shard.requests) and (alone or not _asks_alone(shard)) and not shard.serves
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
    while room > 0 and shard.errands.told and not _tells_alone(shard):
        batch.told += shard.errands.take_told(1)
        room -= 1
    while shard.mail and room > 0:
        batch.mail.append(shard.mail.popleft())
        room -= 1
    _take_from_each(batch, shard.feeds, room)


def _take_what_owes_nothing(batch: Batch, room: int) -> None:
    """Of a shard whose arrivals go alone: from the feeds of which nobody can have had in hand what comes now."""
    shard, careful = batch.shard, batch.shard.custody.careful
    if careful is not None and not shard.halted and not shard.parking.full:
        _take_from_each(batch, [feed for feed in shard.feeds if not careful.owes(feed.name)], room)


def _take_from_each(batch: Batch, feeds: Iterable[Feed], room: int) -> None:
    for feed in feeds:
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
