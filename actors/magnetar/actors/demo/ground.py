"""Where the demo runs: on the in-process bus, or on a real Pulsar with the worker as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Protocol

from magnetar.actors.demo.meter import Meter
from magnetar.runtime import MagnetarError
from magnetar.runtime.compose.places import EmbeddedBus, bus_place, provision_embedded, store_place
from magnetar.runtime.compose.running import RunningWorker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from magnetar.runtime.compose.places import BusPlace, StorePlace
    from magnetar.runtime.wiring import Wiring

LIFE = 30.0
"""How long a worker may take to come up or to drain, in seconds."""


class DemoFailed(MagnetarError):
    """The demo itself could not go on; says nothing of the invariants."""


class Crash(BaseException):
    """The end of an embedded worker at a fault point: no `except Exception` on the way can stop it."""


class Ground(Protocol):
    """A bus, a store, and one worker that can be started, crashed and drained."""

    @property
    def bus(self) -> BusPlace:
        """Where messages are."""
        ...

    @property
    def store(self) -> StorePlace:
        """Where state is."""
        ...

    @property
    def crash_told(self) -> str:
        """How the worker dies, for people to read."""
        ...

    def start(self) -> None:
        """A worker that owns all shards when this returns."""
        ...

    def crash(self) -> None:
        """The worker dies in the middle of its work; returns when it is dead."""
        ...

    def check(self) -> None:
        """Raise `DemoFailed` when the worker has stopped by itself."""
        ...

    def drain(self) -> None:
        """The worker leaves in order."""
        ...


class Trigger:
    """Raises `Crash` at one fault point, once it is armed."""

    def __init__(self, point: str) -> None:
        """Not armed."""
        self.armed = False
        self._point = point

    def reach(self, point: str) -> None:
        """In the loop's thread."""
        if self.armed and point == self._point:
            self.armed = False
            raise Crash(point)


class Embedded:
    """The worker lives in this process. Its crash drops its whole memory at a fault point; bus and store stay."""

    POINT = "store.commit:after"
    crash_told = f"its memory is dropped at {POINT}: committed, but neither acknowledged nor published"

    def __init__(self, wiring: Wiring, folder: Path) -> None:
        """An in-process broker with the app's topics, and an empty store."""
        self._wiring = wiring
        self._meter = Meter(folder / "commits.jsonl")
        self._trigger = Trigger(self.POINT)
        self._worker: RunningWorker | None = None
        self.bus: EmbeddedBus = _embedded(wiring)
        self.store: StorePlace = store_place(f"sqlite:///{folder}/shop.db")

    def start(self) -> None:
        """Compose and start a worker."""
        worker = RunningWorker(self._wiring, self.bus, self.store, observer=self._meter, points=self._trigger)
        worker.start()
        self._worker = worker
        _wait_until(lambda: worker.ready or worker.failure is not None, "the worker to own its shards")
        self.check()

    def crash(self) -> None:
        """Arm the fault point and wait until the worker has met it."""
        worker = self._own()
        self._trigger.armed = True
        _wait_until(lambda: worker.failure is not None, f"the worker to reach {self.POINT}")
        if not isinstance(worker.failure, Crash):
            self.check()
        worker.kill()

    def check(self) -> None:
        """See the protocol."""
        failure = self._own().failure
        if failure is not None and not isinstance(failure, Crash):
            message = f"the worker stopped: {failure}"
            raise DemoFailed(message) from failure

    def drain(self) -> None:
        """Orderly."""
        self._own().drain(LIFE)
        self._meter.close()

    def _own(self) -> RunningWorker:
        if self._worker is None:
            message = "no worker was started"
            raise DemoFailed(message)
        return self._worker


class OnPulsar:
    """The worker is a process of its own on a real broker. Its crash is SIGKILL."""

    crash_told = "its process gets SIGKILL"

    def __init__(self, wiring: Wiring, folder: Path, service_url: str, admin_url: str, *arguments: str) -> None:
        """Provisions the app's topics on the broker; the store is empty. `arguments`: see `demo.worker`."""
        self._wiring = wiring
        self._folder = folder
        self._urls = (service_url, admin_url)
        self._arguments = arguments
        self._process: subprocess.Popen[str] | None = None
        _provision(admin_url, wiring)
        self.bus: BusPlace = bus_place(service_url, wiring.app)
        self.store: StorePlace = store_place(f"sqlite:///{folder}/shop.db")

    def start(self) -> None:
        """Start the process and wait until it says that it is ready."""
        command = [sys.executable, "-m", "magnetar.actors.demo.worker", *self._urls, str(self._folder)]
        self._process = subprocess.Popen([*command, *self._arguments], stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
        if self._process.stdout is None or self._process.stdout.readline() != "ready\n":
            self.check()
            message = "the worker process did not become ready; its log is above"
            raise DemoFailed(message)

    def crash(self) -> None:
        """Kill it."""
        self._own().kill()
        self._ended()

    def check(self) -> None:
        """See the protocol."""
        status = self._own().poll()
        if status is not None:
            message = f"the worker process ended with status {status}; its log is above"
            raise DemoFailed(message)

    def drain(self) -> None:
        """SIGTERM, and exit status 0."""
        self._own().terminate()
        status = self._ended()
        if status != 0:
            message = f"the worker process drained with status {status}"
            raise DemoFailed(message)

    def stop(self) -> None:
        """Whatever happened, no worker process is left behind."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._ended()

    def _ended(self) -> int:
        process = self._own()
        status = process.wait(LIFE)
        if process.stdout is not None:
            process.stdout.close()
        return status

    def _own(self) -> subprocess.Popen[str]:
        if self._process is None:
            message = "no worker was started"
            raise DemoFailed(message)
        return self._process


def _embedded(wiring: Wiring) -> EmbeddedBus:
    place = bus_place("memory:", wiring.app)
    if not isinstance(place, EmbeddedBus):
        message = "memory: is not the in-process bus"
        raise DemoFailed(message)
    provision_embedded(place.broker, wiring)
    return place


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIFE
    while not condition():
        if time.monotonic() > deadline:
            message = f"waited {LIFE} s for {what}"
            raise DemoFailed(message)
        time.sleep(0.002)


def _provision(admin_url: str, wiring: Wiring) -> None:
    """Make the app's topics on the broker. `DemoFailed` without the extra that this needs."""
    try:
        from magnetar.runtime.compose.topics import Cluster  # noqa: PLC0415 - the embedded demo needs no such extra
    except ModuleNotFoundError as error:
        if error.name != "httpx2":
            raise
        message = "the demo on Pulsar needs httpx2: install magnetar[admin,servers]"
        raise DemoFailed(message) from error
    with Cluster(admin_url, wiring) as cluster:
        cluster.apply()
