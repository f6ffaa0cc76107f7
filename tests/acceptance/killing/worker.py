"""A worker as a process that kills itself with SIGKILL when it reaches a fault point for the n-th time.

Trouble leads to points that a healthy life does not reach: `unknown` makes the outcome of one commit unknown;
`freeze:PID` freezes the broker before the first subscription and then asks this process to drain; `silence:PID`
freezes it when a group has been committed.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, NamedTuple

from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from magnetar.runtime.compose.places import PulsarPlace, store_place
from magnetar.runtime.compose.process import run_until_signal
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.store.port import CommitUnknown
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.ownership import Tenure
from tests.acceptance.killing.till import TILL

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from magnetar.runtime.compose.places import BusPlace

IMPATIENT = Settings(tenure=Tenure(check=0.1, silent=0.3))
"""Connects anew soon after the broker has gone silent (R32)."""


class KillAt:
    """Ends the process, as `kill -9` does, at the n-th time that `point` is reached."""

    def __init__(self, point: str, nth: int, trouble: str) -> None:
        """Each trouble happens once in a life."""
        self._point = point
        self._left = nth
        self._trouble, _, process = trouble.partition(":")
        self._broker = int(process or 0)

    def reach(self, point: str) -> None:
        """Called at every fault point, in whatever thread reaches it."""
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        if self._trouble == "freeze" and point == "bus.subscribe:before":
            self._trouble = ""
            os.kill(self._broker, signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGTERM)
        if self._trouble == "silence" and point == "store.commit:after":
            self._trouble = ""
            os.kill(self._broker, signal.SIGSTOP)
        if self._trouble == "unknown" and point == "store.commit:after":
            self._trouble = ""
            message = "the connection was lost while committing (made up)"
            raise CommitUnknown(message)


class Plan(NamedTuple):
    """What a life is to be. `places`: bus URL, admin URL, application, store URL."""

    places: tuple[str, str, str, str]
    point: str
    nth: int = 1
    trouble: str = "none"


def live(plan: Plan, errors: str, told: Connection) -> None:
    """Run until killed or drained; `told` hears it once all shards are owned. The exit status is the worker's."""
    os.dup2(os.open(errors, os.O_WRONLY | os.O_APPEND | os.O_CREAT), sys.stderr.fileno())
    bus, admin, application, store = plan.places
    points = KillAt(plan.point, plan.nth, plan.trouble)
    settings = IMPATIENT if plan.trouble.startswith("silence") else Settings()
    place, kept = pulsar_place(bus, admin, application), store_place(store)
    worker = RunningWorker(TILL.wire(), place, kept, points=points, settings=settings)
    threading.Thread(target=tell_when_ready, args=(worker, lambda: told.send_bytes(b"ready")), daemon=True).start()
    sys.exit(run_until_signal(worker, poll=0.02))


def pulsar_place(bus: str, admin: str, application: str) -> BusPlace:
    """The broker and its REST API; it is taken to be silent after shorter waits than in earnest."""
    return PulsarPlace(
        PulsarSettings(service_url=bus, application=application, ping_timeout=0.5, close_timeout=0.5), admin
    )


def tell_when_ready(worker: RunningWorker, tell: Callable[[], object]) -> None:
    """Tell once all shards are owned."""
    while not worker.ready:
        worker.wait(0.01)
    tell()
