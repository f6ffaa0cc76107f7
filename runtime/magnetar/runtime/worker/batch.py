"""What one turn takes from the shards: deliveries, fired timers and mail, in order, with a way to give it all back."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from magnetar.runtime.identity import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.bus.port import Delivery, Position
    from magnetar.runtime.errors import MisuseError
    from magnetar.runtime.store.care import Hand
    from magnetar.runtime.store.effects import EffectMove
    from magnetar.runtime.store.parking import ParkedRow
    from magnetar.runtime.store.port import ShardChanges, TimerRow
    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.worker.answers import Told
    from magnetar.runtime.worker.arrival import Arrival
    from magnetar.runtime.worker.asked import Asked
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

    def deliver(self, feed: Feed, deliveries: list[Delivery]) -> None:
        """More of a feed: behind what it has of it already, for what is acknowledged is acknowledged once (R10)."""
        for known, before in self.deliveries:
            if known is feed:
                before.extend(deliveries)
                return
        self.deliveries.append((feed, deliveries))

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


def refuse(mail: Mail, error: MisuseError | EncodeFailed) -> None:
    """A told message that nobody takes is its teller's mistake: an asker gets the error, a teller's log does."""
    if mail.reply is not None:
        mail.reply.set_exception((type(error), error, None))
    else:
        _log.error("dropped a message told to key %r: %s", mail.key, error)
