"""The machines of one worker, put together. Whoever steps them (the loop, the World, the simulator) owns time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.errors import LayoutDiffers
from magnetar.runtime.store.port import Taker
from magnetar.runtime.worker.batch import Limits
from magnetar.runtime.worker.bells import Bells, Ringing
from magnetar.runtime.worker.bulkhead import Bulkhead, Inline
from magnetar.runtime.worker.effects import Effects
from magnetar.runtime.worker.holdings import Holdings
from magnetar.runtime.worker.machine import Machine, Means, Next
from magnetar.runtime.worker.membership import Presence
from magnetar.runtime.worker.ownership import Ownership, Tenure
from magnetar.runtime.worker.part import Place
from magnetar.runtime.worker.passivation import Passivation
from magnetar.runtime.worker.points import NoPoints, Points, pointed_bus, pointed_store
from magnetar.runtime.worker.reading import Reader
from magnetar.runtime.worker.reception import Office, Reception
from magnetar.runtime.worker.relay import Pace, Relay
from magnetar.runtime.worker.timers import Clockwork, Timers
from magnetar.runtime.worker.turn import Turn
from magnetar.runtime.worker.winning import shard_plans
from magnetar.schemas import Schema, SchemaUnavailable, WriterSchemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.port import Bus
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import Store
    from magnetar.runtime.wiring import Wiring
    from magnetar.runtime.worker.intake import Receiving
    from magnetar.runtime.worker.observer import Observer
    from magnetar.runtime.worker.shard import Shard


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of every machine."""

    limits: Limits = field(default_factory=Limits)
    pace: Pace = field(default_factory=Pace)
    clockwork: Clockwork = field(default_factory=Clockwork)
    ringing: Ringing = field(default_factory=Ringing)
    office: Office = field(default_factory=Office)
    tenure: Tenure = field(default_factory=Tenure)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an engine is given: ports, and ways to what is not its own (threads, time, randomness)."""

    bus: Bus
    store: Store
    owner: str
    code: str
    receiving: Receiving
    noise: Callable[[int], bytes]
    clock: Callable[[], float]
    observer: Observer
    points: Points | None = None
    bulkhead: Bulkhead = field(default_factory=Inline)


class Engine:
    """One worker's machines over one bus and one store. All methods are called by one thread."""

    def __init__(self, wiring: Wiring, around: Surroundings, settings: Settings | None = None) -> None:
        """Prepares the store and asks the broker for partition counts: may block, and raises what the ports raise."""
        settings = settings or Settings()
        points = around.points or NoPoints()
        bus = around.bus if around.points is None else pointed_bus(around.bus, points)
        store = around.store if around.points is None else pointed_store(around.store, points)
        partitions = _counted(bus, wiring)
        own = wiring.schemas()
        store.prepare(wiring.partitions(), wiring.tables())
        store.remember({fingerprint: schema.text for fingerprint, schema in own.items()})
        reader = Reader(WriterSchemas(_known(store.schemas()), _fetch(bus), around.clock))
        self.holdings = Holdings(Taker(around.owner, wiring.contracts), around.noise(8).hex(), around.observer)
        means = Means(bus, store, self.holdings, around.observer, points, around.clock)
        place = Place(wiring, partitions, around.code, edits=settings.office.edits)
        self.stint = place.stint
        self.turn = Turn(means, place, reader, around.noise, settings.limits)
        self.relay = Relay(means, wiring, settings.pace)
        self.timers = Timers(means, settings.clockwork)
        self.bells = Bells(means, around.receiving, settings.ringing)
        self.effects = Effects(means, wiring.actors.values(), reader, around.bulkhead)
        self.reception = Reception(means, settings.office)
        tenure = replace(settings.tenure, winner=replace(settings.tenure.winner, limits=settings.limits))
        presence = Presence(around.code, frozenset(wiring.actors))
        shards = shard_plans(wiring.actors, partitions)
        self.ownership = Ownership(means, (self.relay, self.bells), around.receiving, shards, presence, tenure)
        self._bus, self._store, self._bulkhead = bus, store, around.bulkhead
        passivation = Passivation(means, self.turn, settings.limits)
        self.machines: tuple[Machine, ...] = (
            self.ownership,
            self.timers,
            self.bells,
            self.effects,
            self.reception,
            self.turn,
            passivation,
            self.relay,
        )

    def step(self, now: Instant) -> Next:
        """One step of every machine; the earliest time any of them wants the next."""
        return Next.first(*[machine.step(now) for machine in self.machines])

    def abandon(self) -> None:
        """The worker ends, drained or not: who waits for an answer is told that there will be none here."""
        self.turn.disband()
        for shard in self.holdings.shards():
            shard.stopped.set()
            shard.refuse_mail()

    def close(self) -> None:
        """Close bulkhead, bus and store: the end, orderly after `ownership.gone`, else as after a crash."""
        self._bulkhead.close()
        self._bus.close()
        self._store.close()

    @property
    def quiet(self) -> bool:
        """Whether nothing is in hand: all wanted is owned, no group, no unsettled row, no mail, no fired timer."""
        shards = self.holdings.shards()
        return (
            self.ownership.settled
            and not self.holdings.lost
            and self.turn.idle
            and self.effects.idle
            and all(self.relay.drained(shard) and _rests(shard) for shard in shards)
        )


def _rests(shard: Shard) -> bool:
    return not (shard.due or shard.mail or shard.requests or shard.parking.ringing or shard.parking.suspects)


def _counted(bus: Bus, wiring: Wiring) -> dict[str, int]:
    """Topic → partitions, by the broker's word. `LayoutDiffers` where that is not what is declared (R31)."""
    counts = {topic.name: bus.partitions(topic.name) for topic in wiring.provisioned()}
    for topic in wiring.provisioned():
        there = counts[topic.name]
        if topic.partitions not in {None, there}:
            message = (
                f"topic {topic.name!r} has {there} partitions, but {topic.partitions} are declared. The number is for "
                f"life: set Policy(partitions={there}), or give the actor another name."
            )
            raise LayoutDiffers(message)
    return counts


def _known(texts: dict[str, str]) -> list[Schema]:
    return [Schema.parse(text) for text in texts.values()]


def _fetch(bus: Bus) -> Callable[[str, int], str | None]:
    """The broker as a registry: an answer that does not come is a schema that is not available now (R30)."""

    def fetch(topic: str, version: int) -> str | None:
        try:
            return bus.schema(topic, version)
        except BusUnavailable as error:
            raise SchemaUnavailable(topic, version, str(error)) from error

    return fetch
