"""The machines of one worker, put together. Whoever steps them (the loop, the World, the simulator) owns time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.errors import LayoutDiffers
from magnetar.runtime.worker.arrival import Reader
from magnetar.runtime.worker.handling import Place
from magnetar.runtime.worker.holdings import Holdings
from magnetar.runtime.worker.machine import Machine, Next
from magnetar.runtime.worker.ownership import Ownership, Tenure, all_claims
from magnetar.runtime.worker.points import NoPoints, Points, pointed_bus, pointed_store
from magnetar.runtime.worker.relay import Pace, Relay
from magnetar.runtime.worker.timers import Clockwork, Timers
from magnetar.runtime.worker.turn import Limits, Turn
from magnetar.schemas import Schema, SchemaUnavailable, WriterSchemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.port import Bus, Consumer
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import Store
    from magnetar.runtime.wiring import Wiring
    from magnetar.runtime.worker.intake import Source
    from magnetar.runtime.worker.observer import Observer


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of every machine."""

    limits: Limits = field(default_factory=Limits)
    pace: Pace = field(default_factory=Pace)
    clockwork: Clockwork = field(default_factory=Clockwork)
    tenure: Tenure = field(default_factory=Tenure)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an engine is given: ports, and ways to what is not its own (threads, time, randomness)."""

    bus: Bus
    store: Store
    owner: str
    code: str
    sourced: Callable[[Consumer], Source]
    wake: Callable[[], None]
    noise: Callable[[int], bytes]
    clock: Callable[[], float]
    observer: Observer
    points: Points | None = None


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
        writers = WriterSchemas(_known(store.schemas()), _fetch(bus), around.clock)
        self.holdings = Holdings(around.owner, around.observer)
        self.turn = Turn(
            store, self.holdings, Place(wiring, partitions, around.code), writers, Reader(writers),
            around.observer, points, around.noise, settings.limits,
        )  # fmt: skip
        self.relay = Relay(bus, store, self.holdings, wiring, around.observer, points, settings.pace)
        self.timers = Timers(store, self.holdings, around.observer, points, settings.clockwork)
        self.ownership = Ownership(
            bus, store, self.holdings, self.relay, around.observer, points, around.sourced, around.wake,
            all_claims(wiring.actors, partitions), settings.tenure,
        )  # fmt: skip
        self._bus, self._store = bus, store
        self.machines: tuple[Machine, ...] = (self.ownership, self.timers, self.turn, self.relay)

    def step(self, now: Instant) -> Next:
        """One step of every machine; the earliest time any of them wants the next."""
        return Next.first(*[machine.step(now) for machine in self.machines])

    def close(self) -> None:
        """Close bus and store, whatever is still open on them: the end, orderly after `ownership.gone`, else as a crash."""
        self._bus.close()
        self._store.close()

    @property
    def quiet(self) -> bool:
        """Whether nothing is in hand: everything wanted is owned, no group, no row without a receipt, no mail, no fired timer."""
        shards = self.holdings.shards()
        return (
            self.ownership.settled
            and not self.holdings.lost
            and self.turn.idle
            and all(self.relay.drained(shard) and not shard.due and not shard.mail for shard in shards)
        )


def _counted(bus: Bus, wiring: Wiring) -> dict[str, int]:
    """Topic → partitions, by the broker's word. `LayoutDiffers` where that is not what is declared (R31)."""
    counts = {name: bus.partitions(name) for name in wiring.topics}
    for name, topic in wiring.topics.items():
        if topic.partitions not in {None, counts[name]}:
            message = (
                f"topic {name!r} has {counts[name]} partitions, but {topic.partitions} are declared. The number is for "
                f"life: set Policy(partitions={counts[name]}), or give the actor another name."
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
