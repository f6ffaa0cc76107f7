"""Looks at the cluster about each second, in two threads: who asks a broker that is frozen must not keep the other."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from magnetar.actors.providing.emulator.log import LogDamaged
from magnetar.chaos.cluster import parts
from magnetar.chaos.cluster.errors import ChaosError
from magnetar.chaos.measuring.looks import Look
from magnetar.chaos.measuring.tenures import Seen
from magnetar.chaos.record.shape import Sample
from magnetar.runtime.bus.port import BusError
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.store.port import StoreError
from magnetar.schemas import Kept, State
from magnetar.schemas.commerce import Payment, RefundStanding, Stock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from magnetar.chaos.playing.stage import Stage
    from magnetar.runtime.store.views import Views

S = TypeVar("S", bound=State)
EACH, _FRESH = 1.0, 4.0
_GONE_SECONDS = 30.0
_SLOWLY = 3
"""Of so many looks one reads what is long.

Backlogs of 64 partitions are 72 requests to brokers, for those ask each other. At each look they took 28 % of a core,
43 % of all that the brokers did under load; and a broker that stops waits for what it was asked.
"""
_ASK_SECONDS = 2.0
_PRESSURE = Path("/proc/pressure/cpu")
_TOPICS = ("orders", "desks")
METRICS = {
    "refused commits": "magnetar_commits_refused_total",
    "unknown commits": "magnetar_commits_unknown_total",
    "duplicates": "magnetar_duplicates_total",
    "relay duplicates": "magnetar_relay_duplicates_total",
    "takeovers": "magnetar_takeovers_total",
    "crashes": "magnetar_crashes_total",
    "dead letters": "magnetar_dead_letters_total",
    "went back": "magnetar_store_went_back_total",
    "blocked destinations": "magnetar_lane_blocked_destinations",
}
"""What workers say of themselves: for the reader, and for alarms; checkers do not believe it."""


class Watch(threading.Thread):
    """Looks until it is stopped. `samples`, `seen` and `noticed` grow; `latest` has the newest of each number.

    `failure`: what ended it before; from then on nobody has looked, and the run shows too little.
    """

    def __init__(self, stage: Stage, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._stage = stage
        self._stopped = threading.Event()
        self._looks = 0
        self.samples: list[Sample] = []
        self.seen: list[Seen] = []
        self.noticed: dict[str, str] = {}
        self.latest: dict[str, float] = {}
        self.failure: Exception | None = None

    def run(self) -> None:
        """See the class."""
        try:
            while not self._stopped.is_set():
                began = time.monotonic()
                self._look()
                self._looks += 1
                self._stage.state = self._told()
                self._stopped.wait(max(0.0, EACH - (time.monotonic() - began)))
        except Exception as problem:  # noqa: BLE001 - told by the record: without its looks a run is unknown
            self.failure = problem
        self._leave()

    def stop(self) -> None:
        """No more; returns when the last look is over."""
        self._stopped.set()
        self.join(_GONE_SECONDS)

    def least(self, name: str) -> float | None:
        """The smallest of a number in the looks of the last seconds; None if there was none.

        What is counted in one look may be on its way; what waits is in each of them.
        """
        since = self._stage.now - _FRESH
        return min((each.value for each in list(self.samples) if each.name == name and each.at >= since), default=None)

    def most(self, name: str, begin: float, end: float) -> float:
        """The largest of a number in a stretch; 0 if nobody looked."""
        inside = [each.value for each in list(self.samples) if each.name == name and begin <= each.at <= end]
        return max(inside, default=0.0)

    def _look(self) -> None:
        raise NotImplementedError

    def _leave(self) -> None:
        """What is open is closed, and what was seen last is no longer so."""

    def _told(self) -> str:
        """How it is now, in words."""
        return self._stage.state

    def _tell(self, name: str, value: float) -> None:
        self.samples.append(Sample(self._stage.now, name, value))
        self.latest[name] = value

    def _saw(self, what: str, owner: str) -> None:
        self.seen.append(Seen(self._stage.now, what, owner))


@dataclass
class Hands:
    """Whose each shard was when it was seen last, '' for nobody's, and when one had `moved`: seconds of the run."""

    moved: float
    _owners: Mapping[str, str] = field(default_factory=dict[str, str])

    def see(self, owners: Mapping[str, str], at: float) -> None:
        """All of them, at one look."""
        if owners != self._owners:
            self._owners, self.moved = owners, at


class StoreWatch(Watch):
    """The store, the workers, the provider's log, and the machine.

    `looks`: how far all feeds had come, and when. `hands`: whose the shards are.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, "store watch")
        self.looks: list[Look] = []
        self.hands = Hands(stage.now)
        self._views: Views | None = None
        self._waited = _pressure()
        self._nodes: dict[str, str] = {}

    def _look(self) -> None:
        self._machine()
        self._workers()
        try:
            self._store(self._opened())
        except StoreError:
            self._leave()

    def _told(self) -> str:
        """See `Watch`."""
        shown = ("workers", "shards/unowned", "outbox", "parked", "effects", "money/difference")
        told = [f"{name} {self.latest[name]:g}" for name in shown if name in self.latest]
        waits = self._stage.waiting
        return ", ".join([*told, *([] if waits is None else [f"not acknowledged {waits}"])])

    def _leave(self) -> None:
        views, self._views = self._views, None
        if views is not None:
            views.close()

    def _opened(self) -> Views:
        if self._views is None:
            self._views = self._stage.ground.store.views()
        return self._views

    def _machine(self) -> None:
        before, self._waited = self._waited, _pressure()
        micros, at = self._waited[0] - before[0], self._waited[1] - before[1]
        if at > 0:
            self._tell("pressure/cpu", min(1.0, micros / 1e6 / at))

    def _workers(self) -> None:
        crew = self._stage.crowd.crew
        crew.look()
        for name, metric in METRICS.items():
            self._tell(f"metric/{name}", crew.total(metric))
        for worker in list(crew.workers.values()):
            self._nodes[worker.owner] = f"worker-{worker.number}"
        self._tell("workers", sum(worker.process.poll() is None for worker in list(crew.workers.values())))

    def _store(self, views: Views) -> None:
        loads = Counter[str]()
        for load in views.loads().values():
            loads.update(unsent=load.unsent, timers=load.timers, parked=load.parked, effects=load.effects)
        for name in ("unsent", "timers", "parked", "effects"):
            self._tell("outbox" if name == "unsent" else name, loads[name])
        rows, living = views.shards(), set(self._stage.crowd.crew.owners)
        owners = {row.shard: row.owner if row.owner in living else "" for row in rows}
        self.hands.see(owners, self._stage.now)
        for shard, owner in owners.items():
            self._saw(f"shard {shard}", self._nodes.get(owner, ""))
        came = {feed: position for row in rows for feed, position in row.positions.items()}
        self.looks.append(Look(time.time_ns() // 1000, came))
        self._tell("shards/unowned", sum(not owner for owner in owners.values()))
        if self._looks % _SLOWLY == 0:
            self._stock(views)
            self._money(views)

    def _stock(self, views: Views) -> None:
        """Never negative, and nothing appears or vanishes: at any moment, and not only at the end."""
        for key, shelf in self._states(views, "stock", Stock):
            whole = shelf.on_hand + shelf.reserved + shelf.sold == shelf.restocked
            if not whole or min(shelf.on_hand, shelf.reserved, shelf.sold) < 0:
                self.noticed.setdefault(key, f"stock of {key} was {shelf} at {self._stage.now:.1f} s")
            if key.endswith(("sku-scarce", "sku-00", "sku-01")):
                self._tell(f"stock/{key.rpartition('.')[2]}", shelf.on_hand)

    def _money(self, views: Views) -> None:
        """What the provider keeps, less what payments believe that it keeps: the amounts in doubt, or on their way."""
        try:
            entries = self._stage.crowd.provider.entries()
        except LogDamaged:  # a line that is being written
            return
        there = sum(
            entry.amount if entry.what == "charged" else -entry.amount
            for entry in entries
            if entry.what in {"charged", "refunded"}
        )
        here = sum(
            capture.amount.amount
            for _, payment in self._states(views, "payments", Payment)
            for capture in payment.captures
            if capture.refund is not RefundStanding.GIVEN_BACK
        )
        self._tell("money/difference", there - here)

    def _states(self, views: Views, actor: str, kind: type[S]) -> Iterator[tuple[str, S]]:
        codec = self._stage.ground.wiring.actors[actor].codec
        for row in views.states_of(actor):
            state = codec.decode(row.body, codec.schema, Kept(actor, row.key))
            assert isinstance(state, kind), f"{actor} has the state {type(state)}"
            yield row.key, state


class BusWatch(Watch):
    """The brokers and ZooKeeper. Who does not answer is asked again at the next look."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, "bus watch")

    def _look(self) -> None:
        self._part("zookeeper", lambda: parts.leader(self._stage.ground).name)
        settings, wiring = parts.settings(self._stage.ground), self._stage.ground.wiring
        for name in _TOPICS:
            number = self._looks % (wiring.topics[name].partitions or 1)
            full = settings.partition(name, number)
            self._part(f"topic {name}-partition-{number}", partial(self._owner, full))
        if self._looks % _SLOWLY == 0:
            self._backlogs()

    def _backlogs(self) -> None:
        waiting = backlogs(self._stage)
        self._stage.waiting = None if waiting is None else waiting.total()
        if waiting is not None:
            for name in _TOPICS:
                self._tell(f"backlog/{name}", waiting[name])
            self._tell("backlog/all", waiting.total())

    def _leave(self) -> None:
        self._stage.waiting = None

    def _owner(self, topic: str) -> str:
        return parts.owner(self._stage.ground, topic).name

    def _part(self, what: str, ask: Callable[[], str]) -> None:
        try:
            self._saw(what, ask())
        except (ChaosError, OSError):  # nobody plays this part now, or nobody says so
            return


def backlogs(stage: Stage) -> Counter[str] | None:
    """Of each topic what is not acknowledged, by whichever broker answers; None if none does."""
    settings, topics = (
        parts.settings(stage.ground),
        [each for each in stage.ground.wiring.topics.values() if each.takers],
    )
    for url in stage.ground.pulsar.admin_urls:
        found = Counter[str]()
        try:
            with closing(Admin(url, timeout=_ASK_SECONDS)) as admin:
                for topic in topics:
                    partitions = admin.backlogs(settings.topic(topic.name)).values()
                    found[topic.name] = sum(each.messages for some in partitions for each in some.values())
        except BusError:
            continue
        return found
    return None


def _pressure() -> tuple[float, float]:
    """Microseconds for which something waited for a processor, since the machine began; and when that was read."""
    try:
        first = _PRESSURE.read_text(encoding="ascii").splitlines()[0]
    except OSError:  # a kernel without it: the doctor says so
        return 0.0, 0.0
    return float(first.rpartition("total=")[2]), time.monotonic()
