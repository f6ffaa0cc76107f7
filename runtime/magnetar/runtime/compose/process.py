"""A worker as a process of its own: it runs until a signal, drains, and says with its exit status how it ended."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from magnetar.runtime.compose.errors import WorkerFailed
from magnetar.runtime.threads.processes import Processes
from magnetar.runtime.threads.supervision import Patience, Supervision
from magnetar.runtime.threads.watchdog import Backstop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from magnetar.runtime.compose.running import RunningWorker

_log = logging.getLogger("magnetar.process")

OK = 0
FAILED = 1
AT_ONCE = 130
"""Exit status after a second signal: nothing was released in order; what was not committed comes again."""

_GC_THRESHOLDS = (50_000, 50, 100)


class Signals:
    """SIGTERM and Ctrl-C ask for a drain; the second one ends the process at once. Made in the main thread."""

    def __init__(self, last: Callable[[], None] = lambda: None) -> None:
        """Take over both signals. `last` is called before the second one ends the process."""
        self.asked = threading.Event()
        self._last = last
        self._before = {number: signal.signal(number, self._heard) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore(self) -> None:
        """Put the former handlers back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _heard(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's signature
        if self.asked.is_set():
            sys.stderr.write("magnetar: second signal; leaving at once\n")
            sys.stderr.flush()
            self._last()
            os._exit(AT_ONCE)
        self.asked.set()


def tune_collector() -> None:
    """For a process that holds many live entities: what is there now stays for ever, and the collector comes rarely.

    The default thresholds cost 30 % of the loop (86k → 115k events/s, measured on the prototype).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def run_until_signal(worker: RunningWorker, *, drain: float = 10.0, poll: float = 0.2) -> int:
    """Start the worker, wait for a signal or for its end, drain; returns the exit status. Main thread only.

    `drain` is how long (seconds) it may take to release its shards.
    """
    signals, backstop = Signals(), Backstop(worker.patience)
    try:
        tune_collector()  # before the loop begins: it stops every thread, on a busy machine for half a second
        worker.start()
        backstop.look()
        while not signals.asked.wait(poll):
            backstop.look()
            if worker.wait(0):
                break
        if signals.asked.is_set():
            _log.info("draining; a second signal leaves at once")
        worker.drain(drain)
    except WorkerFailed as error:
        sys.stderr.write(f"magnetar: {error}\n")
        return FAILED
    finally:
        backstop.close()
        signals.restore()
    _log.info("drained")
    return OK


def supervise_until_signal(
    command: Callable[[int], Sequence[str]], count: int, *, bad_input: int, drain: float = 10.0, poll: float = 0.1
) -> int:
    """Keep `count` processes running until a signal, then drain them all; returns the exit status. Main thread only.

    `command` of each, by its number from 0. One that ends with `bad_input` before any has run for a minute ends the
    whole with that status: the next start would do the same. `drain` (seconds) is what each is given to end in order.
    """
    supervision = Supervision(count, Patience(drain=drain), bad_input, time.monotonic())
    processes = Processes(command, supervision)
    signals = Signals(processes.kill_all)
    try:
        return processes.run(signals.asked, poll)
    finally:
        signals.restore()
