"""The loop: one Pykka actor that steps every machine of a worker, and sleeps when none of them wants to be called."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import pykka

from magnetar.runtime.instant import SECOND, Instant
from magnetar.runtime.threads.naming import LOOP, show_as
from magnetar.runtime.threads.pressure import Pressure, relief

if TYPE_CHECKING:
    from magnetar.runtime.worker.engine import Engine

_log = logging.getLogger("magnetar.loop")


class Wakeup:
    """Wakes the loop from any thread. One object per worker, made before its machines are."""

    def __init__(self) -> None:
        """Not awake."""
        self._event = threading.Event()

    def __call__(self) -> None:
        """Something has arrived."""
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Sleep until woken, or so long."""
        if self._event.wait(seconds):
            self._event.clear()


@dataclass(slots=True)
class Pulse:
    """What others may know of the loop: since when it is in a step (monotonic seconds), whether and why it ended.

    `steps` it has done, and was `busy` with for so many seconds in all. Written by the loop's thread only.
    """

    stepping_since: float | None = None
    steps: int = 0
    busy: float = 0.0
    failure: BaseException | None = None
    ended: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Step:
    """The loop tells itself to go on."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Ask the loop to release everything in order (R15); answered at once, `gone` tells when it is done."""


class Loop(pykka.ThreadingActor):
    """Owns the machines: nobody else may call them while it runs.

    It ends when drained, stopped, or when a machine raises.
    """

    use_daemon_thread: ClassVar[bool] = True

    def __init__(self, engine: Engine, wakeup: Wakeup, pulse: Pulse, longest_sleep: float = 0.5) -> None:
        """`longest_sleep` (seconds) bounds how late a message to the actor itself is read."""
        super().__init__()
        self._engine = engine
        self._wakeup = wakeup
        self._pulse = pulse
        self._longest_sleep = longest_sleep

    def on_start(self) -> None:
        """Begin to step."""
        show_as(LOOP)
        self._pressure = Pressure()
        self.actor_ref.tell(Step())

    def on_receive(self, message: object) -> None:
        """`Step` or `Drain`."""
        if isinstance(message, Drain):
            self._engine.ownership.leave()
            self._wakeup()
        elif isinstance(message, Step):
            self._turn()

    def _turn(self) -> None:
        """Step until a message waits for this actor, or the machines are gone."""
        while self.actor_inbox.empty():
            now = steady_clock()
            since = self._pulse.stepping_since = time.monotonic()
            try:
                wanted = self._engine.step(now).at
            except BaseException as error:  # noqa: BLE001 - it is the loop's last word, told by `Pulse.failure`
                self._end(error)
                return
            self._pulse.stepping_since = None
            self._pulse.busy += time.monotonic() - since
            self._pulse.steps += 1
            if self._engine.ownership.gone:
                self._end(None)
                return
            self._relieve()
            self._sleep(wanted)
        self.actor_ref.tell(Step())

    def _relieve(self) -> None:
        """Between groups, leave the processors alone for as long as they were waited for, unless much more waits.

        Where all are wanted, each wait makes the next group larger, and each larger group costs less a message: so the
        machine finds time for those that everybody waits for. Where one is free nothing is waited for.
        """
        if self._engine.turn.idle and not self._engine.turn.pressed:
            time.sleep(relief(self._pressure.since_last()))

    def _sleep(self, wanted: Instant | None) -> None:
        seconds = self._longest_sleep if wanted is None else (wanted - steady_clock()) / SECOND
        if seconds > 0:
            self._wakeup.wait(min(seconds, self._longest_sleep))

    def _end(self, failure: BaseException | None) -> None:
        self._pulse.failure = failure
        self._pulse.stepping_since = None
        if isinstance(failure, Exception):
            _log.critical("the loop stops: %s", failure, exc_info=failure)
        self.stop()

    def on_stop(self) -> None:
        """The last thing the loop does: nobody may wait for an answer that will not come."""
        self._engine.abandon()
        self._pressure.close()
        self._pulse.ended.set()


def steady_clock() -> Instant:
    """The loop's time in microseconds: never jumps.

    What it lacks to the store's clock is the engine's clock offset (R5).
    """
    return time.monotonic_ns() // 1000


def wall_clock() -> Instant:
    """The system's wall clock in microseconds UTC: for publish times and for a store without a clock of its own."""
    return time.time_ns() // 1000
