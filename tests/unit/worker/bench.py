"""One worker's engine on the in-process bus and a store in memory, in virtual time, to be stepped as a test likes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from magnetar.runtime import envelope as wire
from magnetar.runtime.bus.memory import Broker, Faults, MemoryBus
from magnetar.runtime.bus.port import Outgoing
from magnetar.runtime.identity import id_of
from magnetar.runtime.instant import SECOND, Instant, micros, seconds
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.sqlite import SqliteMemory
from magnetar.runtime.worker.arrival import REHOMED
from magnetar.runtime.worker.bulkhead import Inline as Calls
from magnetar.runtime.worker.engine import Engine, Settings, Surroundings
from magnetar.runtime.worker.intake import Inline, Receiving
from magnetar.runtime.worker.membership import ALONE
from magnetar.runtime.worker.observer import Loss, Observer, Takeover, Wait
from magnetar.runtime.worker.ownership import Tenure
from magnetar.schemas import Message, State, contract_name
from tests.unit.worker.bank import bank
from tests.unit.worker.moody import Moods, moody

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magnetar.runtime import App
    from magnetar.runtime.actor import Actor
    from magnetar.runtime.bus.port import Delivery
    from magnetar.runtime.store.port import JournalRow, ShardChanges, ShardRow
    from magnetar.runtime.worker.answers import Ending
    from magnetar.runtime.worker.breaker import BreakerState
    from magnetar.runtime.worker.bulkhead import Bulkhead
    from magnetar.runtime.worker.shard import Shard

S = TypeVar("S", bound=State)
START: Instant = 1_800_000_000 * SECOND
_STEPS = 100_000


class Heard(NamedTuple):
    """One call of an observer's hook."""

    hook: str
    about: tuple[Any, ...]


class Recorder(Observer):
    """Keeps what the engine told."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.heard: list[Heard] = []

    def of(self, hook: str) -> list[tuple[Any, ...]]:
        """The arguments of every call of this hook."""
        return [each.about for each in self.heard if each.hook == hook]

    def owned(self, shard: str, epoch: int) -> None:
        """Kept."""
        self.heard.append(Heard("owned", (shard, epoch)))

    def lost(self, shard: str, why: str, loss: Loss) -> None:
        """Kept."""
        self.heard.append(Heard("lost", (shard, why)))
        self.heard.append(Heard("loss", (shard, loss)))

    def went_back(self, shard: str, why: str) -> None:
        """Kept."""
        self.heard.append(Heard("went_back", (shard, why)))

    def excluded(self, why: str) -> None:
        """Kept."""
        self.heard.append(Heard("excluded", (why,)))

    def committed(self, group: Sequence[ShardChanges], at: Instant) -> None:
        """Kept: how many messages, of which shards."""
        names = tuple(sorted(changes.shard for changes in group))
        self.heard.append(Heard("committed", (names, sum(len(changes.journal) for changes in group), at)))

    def duplicates(self, actor: str, count: int) -> None:
        """Kept."""
        self.heard.append(Heard("duplicates", (actor, count)))

    def skipped(self, actor: str, count: int) -> None:
        """Kept."""
        self.heard.append(Heard("skipped", (actor, count)))

    def rehomed(self, actor: str, count: int) -> None:
        """Kept."""
        self.heard.append(Heard("rehomed", (actor, count)))

    def stale_timers(self, actor: str, count: int) -> None:
        """Kept."""
        self.heard.append(Heard("stale_timers", (actor, count)))

    def unknown_commit(self, *, happened: bool) -> None:
        """Kept."""
        self.heard.append(Heard("unknown_commit", (happened,)))

    def relayed(self, shard: str, count: int, duplicates: int) -> None:
        """Kept."""
        self.heard.append(Heard("relayed", (shard, count, duplicates)))

    def blocked(self, shard: str, destination: str, why: str) -> None:
        """Kept."""
        self.heard.append(Heard("blocked", (shard, destination, why)))

    def waiting(self, shard: str, why: str, on: Wait) -> None:
        """Kept."""
        self.heard.append(Heard("waiting", (shard, why)))
        self.heard.append(Heard("wait", (shard, on)))

    def assigned(self, shards: Sequence[str]) -> None:
        """Kept."""
        self.heard.append(Heard("assigned", tuple(shards)))

    def reached(self, dependency: Wait) -> None:
        """Kept."""
        self.heard.append(Heard("reached", (dependency,)))

    def taken_over(self, shard: str, how: Takeover) -> None:
        """Kept."""
        self.heard.append(Heard("taken_over", (shard, how)))

    def called(self, dependency: str, ending: Ending, took: float) -> None:
        """Kept."""
        self.heard.append(Heard("called", (dependency, ending, took)))

    def outcome(self, dependency: str, ending: Ending) -> None:
        """Kept."""
        self.heard.append(Heard("outcome", (dependency, ending)))

    def breaker(self, dependency: str, state: BreakerState) -> None:
        """Kept."""
        self.heard.append(Heard("breaker", (dependency, state)))

    def stored(self, took: float) -> None:
        """Kept."""
        self.heard.append(Heard("stored", (took,)))

    def refused(self, shard: str) -> None:
        """Kept."""
        self.heard.append(Heard("refused", (shard,)))


class Steps:
    """Fault points that remember: every name passed, and what a test does there."""

    def __init__(self) -> None:
        """Nobody acts."""
        self.passed: list[str] = []
        self.acts: dict[str, Callable[[], None]] = {}

    def reach(self, point: str) -> None:
        """As `Points`."""
        self.passed.append(point)
        act = self.acts.get(point)
        if act is not None:
            act()


class Bench:
    """The engine, what is around it, and the verbs of the tests. Time moves by `advance` and `run` only."""

    def __init__(
        self,
        app: App = bank,
        settings: Settings | None = None,
        *,
        start: bool = True,
        bulkhead: Callable[[], Bulkhead] = Calls,
    ) -> None:
        """A worker that owns every shard, unless told not to start it. Each worker has a bulkhead of its own."""
        self._bulkhead = bulkhead
        self.wiring = app.wire()
        self.now = START
        self.broker = Broker(lambda: self.now)
        self.faults = Faults(self.broker)
        self.database = SqliteMemory(lambda: self.now)
        self.settings = settings or Settings(tenure=Tenure(liveness=ALONE))
        self.observer = Recorder()
        self.moods = Moods()
        self.points = Steps()
        for topic in self.wiring.provisioned():
            self.broker.provision(topic.name, topic.partitions or 1, topic.subscriptions)
        self._outside = MemoryBus(self.broker, "outside")
        self._numbers: dict[tuple[str, int], int] = {}
        self._minted = 0
        self.bus, self.engine = self.worker("first")
        self.views = self.database.views()
        if start:
            self.run()

    # workers

    def worker(self, owner: str) -> tuple[MemoryBus, Engine]:
        """Another worker on the same broker and database, not stepped yet."""
        bus = MemoryBus(self.broker, owner)
        around = Surroundings(
            bus=bus,
            store=moody(self.database.open(), self.moods),
            owner=owner,
            code="test",
            receiving=Receiving(Inline, wake=lambda: None),
            noise=self._noise,
            clock=lambda: seconds(self.now),
            observer=self.audience(),
            points=self.points,
            bulkhead=self._bulkhead(),
        )
        return bus, Engine(self.wiring, around, self.settings)

    def audience(self) -> Observer:
        """Who hears what the workers do."""
        return self.observer

    def crash(self) -> None:
        """The worker dies, and another one takes its place."""
        self.crash_later()
        self.moods.heal()
        self.run()

    def crash_later(self) -> None:
        """The same, without letting anything happen yet."""
        self.bus.disconnect()
        self.bus, self.engine = self.worker("second")

    def crash_twice(self, shard: str) -> None:
        """The worker is killed, and so is the next one when it has just taken the shard; a third one comes."""
        self.crash_later()
        while not self.row(shard).careful:
            self.step()
        self.crash_later()

    def _noise(self, size: int) -> bytes:
        self._minted += 1
        return self._minted.to_bytes(size, "big")

    # time

    def step(self, count: int = 1) -> None:
        """Step every machine so often, at the present instant."""
        for _ in range(count):
            self.engine.step(self.now)

    def run(self, within: float = 60.0) -> None:
        """Step until nothing is left to do, moving time to where the engine wants it, at most so far (seconds)."""
        until = self.now + micros(within)
        for _ in range(_STEPS):
            wanted = self.engine.step(self.now).at
            if wanted is not None and wanted <= self.now:
                continue
            if self.at_rest:
                return
            assert wanted is not None, "the engine waits for ever, with work left"
            assert wanted <= until, f"not at rest within {within} s: {self.observer.heard[-5:]}"
            self.now = wanted
        raise AssertionError("the engine does not come to rest")

    def advance(self, duration: float) -> None:
        """Let time pass, and everything happen on the way, whether or not the engine comes to rest."""
        until = self.now + micros(duration)
        for _ in range(_STEPS):
            wanted = self.engine.step(self.now).at
            if wanted is not None and wanted <= self.now:
                continue
            if wanted is None or wanted > until:
                break
            self.now = wanted
        self.now = until
        self.step(8)

    def until(self, point: str) -> None:
        """Step until the engine has just passed this fault point."""
        seen = len(self.points.passed)
        for _ in range(_STEPS):
            self.engine.step(self.now)
            if point in self.points.passed[seen:]:
                return
        raise AssertionError(f"{point} was not reached")

    @property
    def at_rest(self) -> bool:
        """Whether the worker owns all, has nothing in hand, and the broker has nothing for it."""
        return self.engine.quiet and not self.backlog()

    def backlog(self) -> int:
        """Messages that a subscription has not acknowledged."""
        return sum(
            self.broker.backlog(topic.name, partition, subscription)
            for topic in self.wiring.topics.values()
            for subscription in topic.subscriptions
            for partition in range(topic.partitions or 1)
        )

    # messages

    def send(
        self,
        message: Message,
        message_id: str | None = None,
        *,
        topic: str | None = None,
        partition: int | None = None,
        **properties: str,
    ) -> None:
        """Publish as some client would; `properties` add to the usual ones or replace them."""
        to = self.wiring.destination(None, message) if topic is None else self.wiring.topics[topic]
        kind = to.kinds[type(message)]
        key = kind.key(message) if kind.key else ""
        mine = {
            wire.MESSAGE_ID: message_id or f"m-{sum(self._numbers.values())}",
            wire.TYPE: kind.name,
            wire.SCHEMA: to.codec.schema.fingerprint,
        }
        place = partition_of(key, to.partitions or 1) if partition is None else partition
        self.raw(to.name, place, Outgoing(key, to.codec.encode(message), mine | properties), to.codec.schema.text)

    def raw(self, topic: str, partition: int, message: Outgoing, schema: str | None) -> None:
        """Publish any bytes."""
        producer = self._outside.produce(topic, partition, "outside", schema).poll()
        assert producer is not None
        number = self._numbers[topic, partition] = self._numbers.get((topic, partition), 0) + 1
        producer.send(number, message)
        [receipt] = producer.receipts()
        assert receipt.error is None
        producer.close()

    def log(self, topic: str) -> list[Delivery]:
        """Everything ever published on a topic, by partition."""
        count = self.wiring.topics[topic].partitions or 1
        return [delivery for partition in range(count) for delivery in self.broker.log(topic, partition)]

    def words(self, kind: type[Message]) -> list[str]:
        """The `word` of every message of this type that was published, by partition; not the re-homed ones."""
        found: list[str] = []
        for topic in self.wiring.topics.values():
            for delivery in self.log(topic.name) if kind in topic.kinds else ():
                if delivery.properties.get(wire.TYPE) == contract_name(kind) and REHOMED not in delivery.properties:
                    decoded: Any = topic.codec.decode(delivery.body, topic.codec.schema, Nowhere())
                    found.append(decoded.word)
        return found

    # what became of it

    def state(self, actor: Actor[S], key: str) -> S:
        """The committed state."""
        row = self.views.state(actor.name, key)
        if row is None:
            return actor.state()
        codec = self.wiring.actors[actor.name].codec
        return cast("S", codec.decode(row.body, codec.schema, Nowhere()))

    def journal(self, actor: Actor[Any], key: str) -> list[JournalRow]:
        """The key's timeline."""
        return self.views.timeline(actor.name, key)

    def entry(self, actor: Actor[Any], message_id: str) -> JournalRow | None:
        """What became of one message."""
        return self.views.entry(actor.name, id_of(message_id))

    def shard(self, actor: Actor[Any], key: str) -> Shard:
        """The owned shard of a key."""
        name = f"{actor.name}/{partition_of(key, actor.policy.partitions)}"
        found = self.engine.holdings.find(name)
        assert found is not None, f"{name} is not owned"
        return found

    def row(self, name: str) -> ShardRow:
        """The shard's row in the store."""
        return next(row for row in self.views.shards() if row.shard == name)


class Nowhere:
    """What an error says about bytes read in a test."""

    topic = "test"
    message_id = "test"
    schema_version = "current"
