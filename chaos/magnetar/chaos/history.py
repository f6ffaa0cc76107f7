"""What a run saw from outside the engine, as one append-only list of events: the same for every kind of run.

Who sends writes down what it meant to publish and what it was answered; whoever stands before the database, what was
taken and committed; whoever does harm, which fault was seen to take effect. Nothing here is told by the engine but
the situations it was in and lines for the reader. As text it is one JSON object a line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from magnetar.runtime.bus.port import Position
from magnetar.runtime.instant import Instant
from magnetar.runtime.store.port import ShardName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Event(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag=str.lower):
    """Something happened. `at` is by the clock of whoever saw it."""

    at: Instant


class Entered(Event, frozen=True, gc=False):
    """A phase of the run begins: `faults`, `healed`, `again`."""

    phase: str


class Intended(Event, frozen=True, gc=False):
    """A sender means to publish its `number`-th message, in however many copies. A foreign one has no id."""

    number: int
    message_id: str | None
    topic: str
    partition: int
    key: str


class Answered(Event, frozen=True, gc=False):
    """A copy of it was confirmed; `position` is None when the broker had it already."""

    number: int
    position: Position | None


class Taken(Event, frozen=True, gc=False):
    """The database gave a shard to a new owner."""

    shard: ShardName
    epoch: int
    owner: str


class LaneRow(NamedTuple):
    """A row of an outbox as it was committed."""

    number: int
    topic: str
    partition: int
    message_id: str


class Committed(Event, frozen=True, gc=False):
    """One shard's part of a commit that the database accepted. `current` is the newest epoch anybody had taken."""

    owner: str
    shard: ShardName
    epoch: int
    current: int
    commits: int
    lane: tuple[LaneRow, ...]
    armed: tuple[bytes, ...]
    fired: tuple[bytes, ...]
    answered: tuple[bytes, ...] = ()


class Requested(Event, frozen=True, gc=False):
    """A person asked something of a shard, whose newest epoch was this."""

    request: bytes
    shard: ShardName
    epoch: int


class Restored(Event, frozen=True, gc=False):
    """A backup was put in place of the store: only the first so many commits ever happened."""

    commits: int


class Charged(Event, frozen=True, gc=False):
    """The outside has done what was asked, for good, under this idempotency key; by its own log."""

    subject: str
    key: str


class Heard(Event, frozen=True, gc=False):
    """An answer of the outside has reached a worker that had the shard at the time; `says` is '' for most."""

    subject: str
    key: str
    says: str
    shard: ShardName
    epoch: int


class Struck(Event, frozen=True, gc=False):
    """A fault of this kind was seen to have an effect, so many times."""

    kind: str
    count: int


class Met(Event, frozen=True, gc=False):
    """The run was in a situation worth meeting, so many times."""

    situation: str
    count: int


class Told(Event, frozen=True, gc=False):
    """A line of the story; `harm` when it tells what was done to the run, and not what the run did."""

    what: str
    harm: bool = False


class Acknowledged(Event, frozen=True, gc=False):
    """Somebody looked: up to where a subscription was acknowledged, and what its shard had committed by then."""

    shard: ShardName
    place: str
    acknowledged: Position
    committed: Position


class Died(Event, frozen=True, gc=False):
    """A worker ended in the midst of this message, as it does each time. `held`: what it had in hand by the database.

    `owned`: whether it was the shard's owner; `alone`: whether the message had to go alone then.
    """

    owner: str
    shard: ShardName
    message_id: bytes
    held: tuple[bytes, ...]
    owned: bool
    alone: bool


class Found(Event, frozen=True, gc=False):
    """Who took a shard found this in the hand of somebody else; `since` tells one time from another."""

    shard: ShardName
    message_id: bytes
    owner: str
    since: Instant


class Restless(Event, frozen=True, gc=False):
    """What is healed ought to have come to rest by now, and has not."""

    what: str


class Blamed(Event, frozen=True, gc=False):
    """Something was wrong at the very moment it happened."""

    promise: str
    subject: str
    found: str


AnyEvent = (
    Entered
    | Intended
    | Answered
    | Taken
    | Committed
    | Requested
    | Restored
    | Charged
    | Heard
    | Struck
    | Met
    | Told
    | Acknowledged
    | Died
    | Found
    | Restless
    | Blamed
)
_to_json = msgspec.json.Encoder().encode
_from_json = msgspec.json.Decoder(AnyEvent).decode


class Violation(NamedTuple):
    """A promise that was not kept: which one, of what, and what was found instead."""

    promise: str
    subject: str
    found: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.subject}: {self.found}"


@dataclass(slots=True)
class Sending:
    """One message that a sender meant to publish. `acked`: some copy was confirmed, so it must not get lost."""

    message_id: str | None
    topic: str
    partition: int
    key: str
    positions: list[Position] = field(default_factory=list)
    acked: bool = False


class History:
    """Grows while a run lasts; the checkers read what is added up here, which follows from `events` alone.

    `decided` holds the ids of all messages in committed outboxes, `epochs` the newest epoch taken of each shard.
    `restored`: whether the store ever was replaced by a backup; then `commits` are those that it knew, and later ones.
    `effective` counts faults by kind, `met` situations; `looks` are those at acknowledgements, `deaths` of workers by
    a message, and `found` what somebody else had in hand. `requests`: by id. `charges` is the log of the outside,
    `heard` what came back of it.
    """

    def __init__(self, clock: Callable[[], Instant]) -> None:
        """`clock` dates the events."""
        self._clock = clock
        self.events: list[AnyEvent] = []
        self.sendings: dict[int, Sending] = {}
        self.commits: list[Committed] = []
        self.decided: set[str] = set()
        self.epochs: dict[ShardName, int] = {}
        self.restored = False
        self.requests: dict[bytes, Requested] = {}
        self.looks: list[Acknowledged] = []
        self.charges: list[Charged] = []
        self.heard: list[Heard] = []
        self.restless: list[str] = []
        self.deaths: list[Died] = []
        self.found: list[Found] = []
        self.violations: list[Violation] = []
        self.effective: dict[str, int] = {}
        self.met: dict[str, int] = {}

    @classmethod
    def read(cls, lines: Iterable[bytes | str]) -> History:
        """The history in lines that `lines` wrote. `msgspec.DecodeError` for others."""
        history = cls(lambda: 0)
        for line in lines:
            history.append(_from_json(line))
        return history

    def lines(self) -> Iterator[bytes]:
        """The events as JSON, one a line, without line ends."""
        return map(_to_json, self.events)

    def append(self, event: AnyEvent) -> None:  # noqa: C901 - one case per kind of event
        """Add an event, and add it up."""
        self.events.append(event)
        match event:  # what there is most of comes first
            case Met():
                self.met[event.situation] = self.met.get(event.situation, 0) + event.count
            case Entered() | Told():
                pass
            case Intended():
                self.sendings[event.number] = Sending(event.message_id, event.topic, event.partition, event.key)
            case Answered():
                self._answered(self.sendings[event.number], event.position)
            case Taken():
                self.epochs[event.shard] = event.epoch
            case Committed():
                self.commits.append(event)
                self.decided.update(row.message_id for row in event.lane)
            case Requested():
                self.requests[event.request] = event
            case Restored():
                self.restored = True
                del self.commits[event.commits :]
                self.epochs.clear()
            case Struck():
                self.effective[event.kind] = self.effective.get(event.kind, 0) + event.count
            case Acknowledged() | Charged() | Heard() | Died() | Found():
                self._listed(event)
            case Restless():
                self.restless.append(event.what)
            case Blamed():
                self.violations.append(Violation(event.promise, event.subject, event.found))

    def _listed(self, event: Acknowledged | Charged | Heard | Died | Found) -> None:
        match event:
            case Acknowledged():
                self.looks.append(event)
            case Charged():
                self.charges.append(event)
            case Heard():
                self.heard.append(event)
            case Died():
                self.deaths.append(event)
            case Found():
                self.found.append(event)

    def _answered(self, sending: Sending, position: Position | None) -> None:
        sending.acked = True
        if position is not None:
            sending.positions.append(position)

    # what is written down most, in the words of those who write it

    def tell(self, what: str, *, harm: bool = False) -> None:
        """Add a line to the story."""
        self.append(Told(self._clock(), what, harm))

    def took_effect(self, kind: str, count: int = 1) -> None:
        """A fault of this kind was seen to have an effect."""
        self.append(Struck(self._clock(), kind, count))

    def meet(self, situation: str, count: int = 1) -> None:
        """A situation worth meeting (see `situations`); not worth a word when it did not occur."""
        if count:
            self.append(Met(self._clock(), situation, int(count)))

    def blame(self, promise: str, subject: str, found: str) -> None:
        """Something is wrong right now."""
        self.append(Blamed(self._clock(), promise, subject, found))

    def enter(self, phase: str) -> None:
        """A phase begins."""
        self.append(Entered(self._clock(), phase))
