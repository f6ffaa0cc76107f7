"""A worker in this process: the engine, its loop, its threads, and an orderly or a sudden end."""

from __future__ import annotations

import os
import socket
import time
from contextlib import ExitStack
from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING

from magnetar.runtime.compose.errors import WorkerFailed
from magnetar.runtime.errors import ShardLost
from magnetar.runtime.routing import partition_of
from magnetar.runtime.telemetry.looking import Looking
from magnetar.runtime.threads.asking import Asking
from magnetar.runtime.threads.bulkhead import Bulkhead
from magnetar.runtime.threads.loop import Drain, Loop, Pulse, Wakeup, steady_clock
from magnetar.runtime.threads.receiver import Receiver
from magnetar.runtime.threads.watchdog import Watchdog
from magnetar.runtime.wiring import checked_key
from magnetar.runtime.worker.engine import Engine, Settings, Surroundings
from magnetar.runtime.worker.intake import Receiving
from magnetar.runtime.worker.membership import ALONE
from magnetar.runtime.worker.observer import Observer

if TYPE_CHECKING:
    import pykka

    from magnetar.runtime.bus.port import Bus, Consumer
    from magnetar.runtime.compose.places import BusPlace, StorePlace
    from magnetar.runtime.store.port import Store
    from magnetar.runtime.wiring import Wiring
    from magnetar.runtime.worker.entity import EntityRef
    from magnetar.runtime.worker.intake import Source
    from magnetar.runtime.worker.points import Points


class RunningWorker:
    """One worker. `start`, then `drain` for an orderly end, or `kill` to drop it as a crash would.

    `pulse`, `deadline` (seconds that a step may take, but for handlers) and `draining` are for those who watch it, from
    any thread.
    """

    def __init__(  # noqa: PLR0913 - two places and what may stand beside them
        self,
        wiring: Wiring,
        bus: BusPlace,
        store: StorePlace,
        *,
        owner: str | None = None,
        observer: Observer | None = None,
        points: Points | None = None,
        settings: Settings | None = None,
        handler_deadline: float = 10.0,
        edits: bool = False,
    ) -> None:
        """Connects, and prepares the store: raises what the bus and the store raise, and leaves nothing open then."""
        self._wiring = wiring
        self._wakeup = Wakeup()
        self.pulse = Pulse()
        with ExitStack() as begun:  # what is open already when something fails is closed
            self._asking = Asking()
            begun.callback(self._asking.close)
            self._bus: Bus = bus.connect_worker(owner or default_owner())
            begun.callback(self._bus.close)
            self._store: Store = store.open()
            begun.callback(self._store.close)
            settings = settings or Settings()
            settings = replace(settings, office=replace(settings.office, edits=edits))
            if not store.shared:
                settings = replace(settings, tenure=replace(settings.tenure, liveness=ALONE))
            self._engine = Engine(wiring, self._surroundings(owner, observer, points), settings)
            begun.pop_all()
        self.deadline = handler_deadline
        self.draining = False
        self._watchdog: Watchdog | None = None
        self._loop: pykka.ActorRef[Loop] | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to take shards. Returns at once; `ready` tells when all are owned."""
        quickest = min(plan.policy.deadline for plan in self._wiring.actors.values())
        self._watchdog = Watchdog(self.pulse, self.deadline, stint=self._engine.stint, quickest=quickest)
        self._loop = Loop.start(self._engine, self._wakeup, self.pulse)

    @property
    def patience(self) -> float:
        """What its slowest step may take, in seconds: a handler's by its policy, or any other."""
        return max(self.deadline, *(plan.policy.deadline for plan in self._wiring.actors.values()))

    @property
    def ready(self) -> bool:
        """Whether every shard is owned. Any thread; a snapshot."""
        return self._loop is not None and self._engine.ownership.settled

    @property
    def failure(self) -> BaseException | None:
        """What ended the loop, if anything did."""
        return self.pulse.failure

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the loop has ended, by itself or drained; False when it goes on."""
        return self.pulse.ended.wait(seconds)

    def ref(self, actor: str, key: str) -> EntityRef:
        """Pykka's reference to a live order: `tell` and `ask` go through the loop, `ask` is answered after the commit.

        In this process only, and not durable: for a message that must not be lost use a `Client`. Raises `ShardLost`
        when this worker does not own the key's shard now.
        """
        plan = self._wiring.actors[actor]
        name = f"{actor}/{partition_of(key, plan.policy.partitions)}"
        shard = self._engine.holdings.find(name)
        if shard is None:
            message = f"shard {name} of key {key!r} is not owned by this worker now"
            raise ShardLost(message)
        return shard.entity(checked_key(key, actor)).actor_ref

    def look(self) -> Looking:
        """What can be seen of the engine while it runs. Any thread."""
        return Looking(self._engine, self.pulse, steady_clock)

    def drain(self, timeout: float = 10.0) -> None:
        """Release everything in order (R15) and close.

        Raises `WorkerFailed` when the loop had failed or does not end in time.
        """
        self.draining = True
        if self._loop is not None and self._loop.is_alive():
            self._loop.tell(Drain())
            self._wakeup()
        ended = self._loop is None or self.wait(timeout)
        self._close()
        if self.failure is not None:
            message = f"the worker stopped: {self.failure}"
            raise WorkerFailed(message) from self.failure
        if not ended:
            message = f"the worker did not release its shards within {timeout} s; what was not committed comes again"
            raise WorkerFailed(message)

    def kill(self) -> None:
        """Drop everything as a crash does: nothing more is committed, acknowledged, released or sent."""
        self._close()

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._loop is not None and not self.pulse.ended.is_set():
            self._loop.stop(block=False)
            self._wakeup()
            self.wait(self.deadline)
        if self._watchdog is not None:
            self._watchdog.close()
        self._asking.close()
        self._engine.close()

    def _surroundings(self, owner: str | None, observer: Observer | None, points: Points | None) -> Surroundings:
        return Surroundings(
            bus=self._bus,
            store=self._store,
            owner=owner or default_owner(),
            code=code_version(),
            receiving=Receiving(self._receiver, self._wakeup),
            noise=os.urandom,
            clock=time.monotonic,
            observer=observer or Observer(),
            points=points,
            bulkhead=Bulkhead(self._wakeup),
        )

    def _receiver(self, consumer: Consumer) -> Source:
        return Receiver(consumer, self._wakeup, self._asking)


def default_owner(process: int | None = None) -> str:
    """Host and process: unique among live workers. `process` is its number among those of one supervisor."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    return name if process is None else f"{name}#{process}"


def code_version() -> str:
    """The installed version, as the journal keeps it (R2)."""
    return metadata.version("magnetar")
