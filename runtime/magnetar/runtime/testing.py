"""`World`: the real engine in a test, with the in-process bus, a store in memory, and time that moves when told.

Everything runs in the calling thread: the machines, codecs, bus and store are the product's own.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast

from magnetar.runtime.actor import Actor
from magnetar.runtime.app import App
from magnetar.runtime.bus.memory import Broker, MemoryBus
from magnetar.runtime.client import Client
from magnetar.runtime.errors import MisuseError
from magnetar.runtime.instant import Instant, from_datetime, micros, seconds, to_datetime
from magnetar.runtime.store.sqlite import SqliteMemory
from magnetar.runtime.worker.bulkhead import Inline, Job
from magnetar.runtime.worker.engine import Engine, Settings, Surroundings
from magnetar.runtime.worker.intake import Inline as Receiver
from magnetar.runtime.worker.intake import Receiving
from magnetar.runtime.worker.membership import ALONE
from magnetar.runtime.worker.observer import Observer
from magnetar.runtime.worker.ownership import Tenure
from magnetar.runtime.worker.reception import Office
from magnetar.runtime.worker.timers import Clockwork
from magnetar.runtime.worker.winning import Winner
from magnetar.schemas import Effect, Event, Kept, Message, Schema, State, contract_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from uuid import UUID

    from magnetar.runtime.actor import Remote
    from magnetar.runtime.effects import Call
    from magnetar.runtime.errors import HandlerFailed
    from magnetar.runtime.store.port import JournalRow, TimerRow
    from magnetar.runtime.wiring import Topic

S = TypeVar("S", bound=State)
M = TypeVar("M", bound=Message)
E = TypeVar("E", bound=Effect)

_NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
_FAR = 400 * 24 * 3600.0
# The poll counts only while a message is held back that a due timer waits for.
_SETTINGS = Settings(
    clockwork=Clockwork(window=_FAR, poll=0.5),
    tenure=Tenure(check=_FAR, liveness=ALONE, winner=Winner(timers=_FAR, poll=0.0)),
    office=Office(poll=_FAR),
)


class World:
    """`with World(orders, stock) as world:` sends messages, moves time, and looks at what became of it.

    Every call returns when nothing is left to do at the present instant. A handler's exception is raised here, as
    the `__cause__` of `HandlerFailed`; with `parks=True` its message is parked instead and tried again, as the actor's
    policy says. `seed` decides the ids minted for messages that are sent without one.

    `effects` are the outside world: by the type of its request a function that stands in for the effect's own, called
    as it would be, at once. It may be exchanged at any time: `world.effects[Charge] = declined`.
    """

    patience: ClassVar[int] = 1_000_000
    """After so many steps of the engine within one call the world says that it never comes to rest."""

    def __init__(
        self,
        *actors: Actor[Any] | App,
        remotes: Sequence[Remote] = (),
        start: datetime = _NEW_YEAR,
        seed: int = 0,
        parks: bool = False,
        effects: Mapping[type[Effect], Callable[[Any, Call], Any]] | None = None,
    ) -> None:
        """Of actors, or of one whole `App`. Raises `AppInvalid` as starting it would."""
        self._parks = parks
        self.effects: dict[type[Effect], Callable[[Any, Call], Any]] = dict(effects or {})
        self._asked: list[tuple[Effect, Call]] = []
        app = _app(actors, remotes)
        self.wiring = app.wire()
        self._now = from_datetime(start)
        self._chance = random.Random(seed)  # noqa: S311 - a test's randomness must be repeatable
        self.broker = Broker(self._clock)
        self.database = SqliteMemory(self._clock)
        for topic in self.wiring.provisioned():
            self.broker.provision(topic.name, topic.partitions or 1, topic.subscriptions)
        self._views = self.database.views()
        client_bus = MemoryBus(self.broker, "client")
        self._client = Client(
            self.wiring, client_bus, self._views, moments=_Moments(self), noise=self._chance.randbytes
        )
        self._connection, self._engine = self._worker()

    def __enter__(self) -> Self:
        """Start the worker: it takes all shards."""
        self._run()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let everything go."""
        self._views.close()
        self.database.close()

    # doing

    def send(self, message: Message, *, id: str | UUID | None = None) -> str:  # noqa: A002 - as the client's
        """Send a command, and let everything happen that follows from it now. Returns the message's id."""
        text = self._client.send(message, id=id)
        self._run()
        return text

    def publish(self, event: Event, *, by: str, id: str | None = None) -> str:  # noqa: A002 - as the client's
        """Publish an event in the name of actor or remote `by`."""
        topic = self.wiring.topics.get(f"{by}-events")
        if topic is None:
            message = f"{by!r} publishes nothing in this world"
            raise MisuseError(message)
        text = self._client.publish(topic, event, id=id)
        self._run()
        return text

    def advance(self, duration: float) -> None:
        """Let so many seconds pass; timers fire on the way, each at its time."""
        until = self._now + micros(duration)
        while True:
            wake = self._run()
            if wake is None or wake > until:
                break
            self._now = max(self._now, wake)
        self._now = max(self._now, until)
        self._run()

    def crash(self) -> None:
        """The worker's process dies and is started again: memory is gone, store and broker stay."""
        self._restart()
        self._run()

    # looking

    @property
    def now(self) -> datetime:
        """The world's time, aware UTC."""
        return to_datetime(self._now)

    def state(self, actor: Actor[S], key: str) -> S:
        """The committed state of a key; its default when it was never seen."""
        row = self._views.state(actor.name, key)
        if row is None:
            return actor.state()
        writer = Schema.parse(self._views.schemas()[row.schema])
        state = self.wiring.actors[actor.name].codec.decode(row.body, writer, Kept(actor.name, key, row.schema))
        return cast("S", state)

    def sent(self, kind: type[M]) -> list[M]:
        """Every message of this type that was ever published, to an actor, a remote, or as an event.

        By topic and partition.
        """
        return [
            message
            for topic in self.wiring.topics.values()
            if kind in topic.types
            for message in self._published(topic, kind)
        ]

    def journal(self, actor: Actor[Any], key: str) -> list[JournalRow]:
        """What came for a key and what it did, by time; what is of one instant comes in no order."""
        return self._views.timeline(actor.name, key)

    def timers(self, actor: Actor[Any], key: str) -> list[TimerRow]:
        """A key's armed timers by due time."""
        return self._views.timers_of(actor.name, key)

    def calls(self, kind: type[E]) -> list[tuple[E, Call]]:
        """Every call of the outside that was made for this request, in order."""
        return [(request, call) for request, call in self._asked if isinstance(request, kind)]

    def answer(self, request: Effect, call: Call) -> object:
        """What the outside says: the stand-in's part. `MisuseError` where there is none."""
        stand_in = self.effects.get(type(request))
        if stand_in is None:
            name = type(request).__name__
            message = f"nobody answers {name} in this world: World(…, effects={{{name}: lambda request, call: …}})"
            raise MisuseError(message)
        self._asked.append((request, call))
        return stand_in(request, call)

    def _published(self, topic: Topic, kind: type[M]) -> list[M]:
        found: list[M] = []
        for partition in range(topic.partitions or 1):
            for delivery in self.broker.log(topic.name, partition):
                if delivery.properties.get("type") == contract_name(kind):
                    message = topic.codec.decode(
                        delivery.body, topic.codec.schema, Kept(topic.name, str(delivery.position))
                    )
                    found.append(cast("M", message))
        return found

    # running

    def _clock(self) -> Instant:
        return self._now

    def _restart(self) -> None:
        self._connection.disconnect()
        self._connection, self._engine = self._worker()

    def _worker(self) -> tuple[MemoryBus, Engine]:
        bus = MemoryBus(self.broker, "worker")
        return bus, Engine(self.wiring, self._around(bus), _SETTINGS)

    def _around(self, bus: MemoryBus) -> Surroundings:
        """What a worker is given. Here a world in which things go wrong puts itself between (`magnetar.chaos`)."""
        return Surroundings(
            bus=bus,
            store=self.database.open(),
            owner="world",
            code="test",
            receiving=Receiving(Receiver, wake=lambda: None),
            noise=self._chance.randbytes,
            clock=lambda: seconds(self._now),
            observer=Observer() if self._parks else _Strict(),
            bulkhead=_Outside(self),
        )

    def _run(self) -> Instant | None:
        """Step until nothing is left to do now; returns when the engine next wants to be called."""
        for _ in range(self.patience):
            wanted = self._engine.step(self._now)
            if wanted.at is not None and wanted.at <= self._now:
                continue
            if self._engine.quiet and not self._backlog():
                return wanted.at
            self._now = max(self._now, wanted.at or self._now)
        message = (
            f"the world did not come to rest within {self.patience} steps: do two actors send to each other for ever?"
        )
        raise MisuseError(message)

    def _backlog(self) -> bool:
        return any(
            self._waiting(topic.name, partition, subscription)
            for topic in self.wiring.topics.values()
            for subscription in topic.subscriptions
            for partition in range(topic.partitions or 1)
        )

    def _waiting(self, topic: str, partition: int, subscription: str) -> bool:
        """Whether something is there that the worker is to take now."""
        return self.broker.backlog(topic, partition, subscription) > 0


class _Strict(Observer):
    """A test whose handler fails should fail: nothing of the message is committed."""

    def failing(self, error: HandlerFailed) -> None:
        raise error from error.__cause__


class _Outside(Inline):
    """The bulkhead of a world: its stand-ins are called in place of the effects' functions."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def begin(self, job: Job) -> None:
        """A missing stand-in is the test's mistake, and no answer."""
        if type(job.request) not in self._world.effects:
            self._world.answer(job.request, job.call)
        super().begin(job._replace(function=self._world.answer))


class _Moments:
    """How the world's own client waits: the world goes on meanwhile."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> Instant:
        return from_datetime(self._world.now)

    def pause(self, seconds: float) -> None:
        self._world.advance(seconds)


def _app(actors: Sequence[Actor[Any] | App], remotes: Sequence[Remote]) -> App:
    if len(actors) == 1 and isinstance(actors[0], App):
        return actors[0]
    return App("world", *[actor for actor in actors if isinstance(actor, Actor)], remotes=remotes)
