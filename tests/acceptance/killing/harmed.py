"""A worker as a process whose ports fail: each planned error is raised once, one after another, in one long life.

Usage: `python -m tests.acceptance.killing.harmed BUS_URL ADMIN_URL APPLICATION STORE_URL PLAN`, where PLAN is a JSON
object of fault points, and answers, and what is to fail there. It prints each failure when it happens, and `ready` once
it owns all shards; a failure at its start makes it start again, as whoever looks after processes would. It drains on
SIGTERM.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import TYPE_CHECKING

from magnetar.chaos.matrix.fragile import Breaker, fragile_bus
from magnetar.chaos.matrix.raising import error_at
from magnetar.runtime.bus.port import BusError
from magnetar.runtime.compose.places import store_place
from magnetar.runtime.compose.process import run_until_signal
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.store.port import CommitUnknown, StoreUnavailable
from magnetar.runtime.worker.batch import Limits
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.membership import ALONE
from magnetar.runtime.worker.ownership import Tenure
from magnetar.runtime.worker.relay import Pace
from magnetar.runtime.worker.timers import Clockwork
from magnetar.runtime.worker.winning import Winner
from tests.acceptance.killing.till import TILL
from tests.acceptance.killing.worker import pulsar_place, tell_when_ready

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Bus, Delivery
    from magnetar.runtime.compose.places import BusPlace

PAUSE = 0.02
"""Seconds between two failures at least: each is tried on a worker that was well."""

AT_ONCE = (
    "store.reconnect",
    "bus.partitions",
    "store.prepare",
    "store.remember",
    "store.schemas",
    "store.depart",
    "bus.ping:answer",
    "bus.renew",
    "consumer.seek:answer",
)
"""What is called only right after a failure, or once in a life: there is no waiting for a better moment.

Nor with pings: when they fail one after another, the worker connects anew.
"""

ANSWERED = ("bus.ping", "bus.produce", "bus.subscribe", "consumer.seek")
"""Calls that never fail themselves: what goes wrong is told to who looks for the answer."""

ANSWER = "opening.poll:before"

QUICK = Settings(
    limits=Limits(tidy=0.1, store_retry=0.05, schema_retry=0.1, live=4),
    pace=Pace(reopen=0.05, idle_close=0.5),
    clockwork=Clockwork(window=0.6, retry=0.1),
    tenure=Tenure(check=0.1, disconnected=0.2, silent=0.2, liveness=ALONE, winner=Winner(retry=0.05)),
)
"""Short waits, so that everything is asked often and what is lost is soon taken anew."""


class Harm:
    """Fails at each point that is planned, in whatever thread reaches it."""

    def __init__(self, plan: dict[str, list[str]]) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._at = threading.local()
        self.breaker = Breaker(lambda: self._tell("exception"))

    def reach(self, point: str) -> None:
        """Called at every fault point."""
        name = self._named(point)
        action = self._due(name) if name in self._plan else None
        if action is None:
            return
        self._at.point = name
        if action != "exception":
            self._tell(action)
            raise CommitUnknown(f"{point}: the answer was lost (made up)")
        error = error_at(point)
        if isinstance(error, StoreUnavailable):
            self._tell(action)
            raise error
        if point.endswith(":before"):
            self.breaker.before(error)
        else:
            self.breaker.after(error)

    def _named(self, point: str) -> str:
        """The first look for an answer is told apart by what was called."""
        call, _, side = point.partition(":")
        if side == "after" and call in ANSWERED:
            self._at.call = call
        elif point == ANSWER and (asked := getattr(self._at, "call", "")):
            self._at.call = ""
            return f"{asked}:answer"
        return point

    def _due(self, point: str) -> str | None:
        with self._lock:
            now = time.monotonic()
            waits = now < self._not_before and not point.startswith(AT_ONCE)
            if waits or not self._plan[point]:
                return None
            self._not_before = now + PAUSE
            return self._plan[point].pop(0)

    def _tell(self, action: str) -> None:
        sys.stdout.write(f"{action}@{self._at.point}\n")
        sys.stdout.flush()


class FragilePlace:
    """A place whose connections break when told."""

    def __init__(self, inner: BusPlace, breaker: Breaker) -> None:
        self._inner = inner
        self._breaker = breaker

    def connect(self, name: str) -> Bus:
        """See `BusPlace`."""
        return fragile_bus(self._inner.connect(name), self._breaker)

    def connect_worker(self, name: str) -> Bus:
        """See `BusPlace`."""
        return fragile_bus(self._inner.connect_worker(name), self._breaker)

    def log(self, topic: str, partition: int) -> list[Delivery]:
        """See `BusPlace`."""
        return self._inner.log(topic, partition)


def tell_ready() -> None:
    """All shards are owned."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def main() -> int:
    """Run until drained."""
    bus, admin, application, store, plan = sys.argv[1:]
    harm = Harm(json.loads(plan))
    place = FragilePlace(pulsar_place(bus, admin, application), harm.breaker)
    while True:
        try:
            worker = RunningWorker(TILL.wire(), place, store_place(store), points=harm, settings=QUICK)
        except (StoreUnavailable, CommitUnknown, BusError):
            continue
        threading.Thread(target=tell_when_ready, args=(worker, tell_ready), daemon=True).start()
        return run_until_signal(worker, poll=0.02)


if __name__ == "__main__":
    sys.exit(main())
