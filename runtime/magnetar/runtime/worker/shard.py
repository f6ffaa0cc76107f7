"""A shard: one partition of an actor with all that belongs to its keys. Data only; the machines work on it."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappush
from threading import Event as StopFlag
from typing import TYPE_CHECKING, Any, NamedTuple

from magnetar.runtime.errors import ShardLost
from magnetar.runtime.routing import partition_of
from magnetar.runtime.worker.custody import Custody
from magnetar.runtime.worker.entity import Entity
from magnetar.runtime.worker.errands import Errands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pykka

    from magnetar.runtime.bus.port import Delivery, Position
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName, TimerRow
    from magnetar.runtime.store.requests import Pause, Request
    from magnetar.runtime.wiring import ActorPlan, Topic
    from magnetar.runtime.worker.intake import Source
    from magnetar.runtime.worker.lane import Lane
    from magnetar.runtime.worker.parking import ParkedKeys
    from magnetar.schemas import Message


Destination = tuple[str, int]
"""Where rows of a lane go: a topic and its partition."""


class Mail(NamedTuple):
    """A message told or asked through an `ActorRef`: in this process only, so never redelivered."""

    key: str
    message: Message
    reply: pykka.Future[Any] | None


@dataclass(slots=True)
class Feed:
    """One source of a shard.

    `applied` is the last position committed (R10), `seen` the latest publish time applied (R26).

    `returned` are deliveries that were taken and could not be committed: they come first when the shard goes on.
    """

    topic: Topic
    partition: int
    source: Source
    applied: Position | None = None
    seen: Instant = 0
    returned: deque[Delivery] = field(default_factory=deque)
    name: str = ""  # `topic/partition`, as in the store

    def __post_init__(self) -> None:
        self.name = f"{self.topic.name}/{self.partition}"

    def known(self, deliveries: Iterable[Delivery]) -> int:
        """How many of these are applied already, and come again since nobody had acknowledged them."""
        return 0 if self.applied is None else sum(each.position <= self.applied for each in deliveries)

    def reached(self, position: Position) -> Position:
        """The higher of what is applied and `position`: after a redelivery the broker starts again further back."""
        return position if self.applied is None else max(self.applied, position)


@dataclass(slots=True)
class Timetable:
    """A shard's armed timers up to `horizon`; later ones are in the store only."""

    horizon: Instant
    armed: dict[tuple[str, str], TimerRow] = field(default_factory=dict)
    heap: list[tuple[Instant, bytes, TimerRow]] = field(default_factory=list)

    def arm(self, timer: TimerRow) -> None:
        """Know a committed timer, if it is due before the horizon; it replaces the key's timer of that name."""
        self.armed.pop((timer.key, timer.name), None)
        if timer.due <= self.horizon:
            self.armed[timer.key, timer.name] = timer
            heappush(self.heap, (timer.due, timer.generation, timer))

    def look(self, timers: Iterable[TimerRow], horizon: Instant) -> None:
        """Know the stored timers up to a new horizon; those known already stay as they are."""
        self.horizon = horizon
        for timer in timers:
            if not self.is_armed(timer):
                self.arm(timer)

    def disarm(self, key: str, name: str) -> None:
        """Forget a timer that fired or was cancelled; its place in the heap is stale from now on."""
        self.armed.pop((key, name), None)

    def is_armed(self, timer: TimerRow) -> bool:
        """Whether this very generation is the armed one (R26)."""
        current = self.armed.get((timer.key, timer.name))
        return current is not None and current.generation == timer.generation


@dataclass(slots=True)
class Shard:
    """Everything of one owned shard that lives in memory. Counters and states advance only after a commit (R7).

    `since` is when it was won, by the store's clock. `entities` are the live ones by key; `arrived` and `rounds` are
    how passivation knows them. `requests` wait to be executed, and the last turn `serves` one. `crowded` are those, by
    id, that found a dependency's queue full, and are tried again from `crowded_until` on. `pauses`: by type, '' for
    all. `heralded` are destinations of rows that are about to be committed.
    """

    name: ShardName
    plan: ActorPlan
    partition: int
    epoch: int
    commits: int
    lane_number: int
    generation: int
    floor: Instant
    feeds: list[Feed]
    lane: Lane
    timetable: Timetable
    parking: ParkedKeys
    wake: Callable[[], None]
    since: Instant = 0
    errands: Errands = field(default_factory=Errands)
    custody: Custody = field(default_factory=Custody)
    entities: dict[str, Entity] = field(default_factory=dict)
    arrived: list[Entity] = field(default_factory=list)
    rounds: dict[int, deque[Entity]] = field(default_factory=dict)
    mail: deque[Mail] = field(default_factory=deque)
    due: deque[TimerRow] = field(default_factory=deque)
    requests: deque[Request] = field(default_factory=deque)
    crowded: dict[bytes, Request] = field(default_factory=dict)
    crowded_until: Instant = 0
    pauses: dict[str, Pause] = field(default_factory=dict)
    serves: bool = False
    stopped: StopFlag = field(default_factory=StopFlag)
    stopping: bool = False
    in_turn: bool = False
    heralded: set[Destination] = field(default_factory=set)
    waits_until: Instant = 0

    def post(self, key: str, message: Message, reply: pykka.Future[Any] | None) -> None:
        """Put a message into the shard's mail. Any thread: a deque's append is atomic."""
        self.mail.append(Mail(key, message, reply))
        self.wake()
        if self.stopped.is_set():  # it left while the caller was on the way here: nobody will take this
            self.refuse_mail()

    def refuse_mail(self) -> None:
        """Tell those who asked that the shard has left this worker. Any thread."""
        with suppress(IndexError):  # another thread does the same
            while self.mail:
                mail = self.mail.popleft()
                if mail.reply is not None:
                    error = ShardLost(
                        f"shard {self.name} left this worker before key {mail.key!r} was answered; ask again"
                    )
                    mail.reply.set_exception((ShardLost, error, None))

    def houses(self, key: str) -> bool:
        """Whether the key belongs to this shard (R31)."""
        return partition_of(key, self.plan.policy.partitions) == self.partition

    @property
    def halted(self) -> bool:
        """Whether a person has paused it as a whole: it takes nothing but requests."""
        return "" in self.pauses

    def settle(self, entity: Entity) -> None:
        """The entity is live from now on."""
        self.entities[entity.key] = entity
        self.arrived.append(entity)

    def entity(self, key: str) -> Entity:
        """The live entity of a key, made as never seen when it is not live."""
        entity = self.entities.get(key)
        return Entity(self, key, self.plan.initial, 0) if entity is None else entity
