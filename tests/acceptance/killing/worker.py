"""A worker as a process that kills itself with SIGKILL when it reaches a fault point for the n-th time.

Usage: `python -m tests.acceptance.killing.worker BUS_URL APPLICATION STORE_URL POINT NTH TROUBLE`. It prints `ready`
once it owns all shards. TROUBLE leads to points that a healthy life does not reach: `unknown` makes the outcome of one
commit unknown; `freeze:PID` freezes the broker before the first subscription and then asks this process to drain.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from magnetar.runtime.compose import RunningWorker, bus_place, run_until_signal, store_place
from magnetar.runtime.store.port import CommitUnknown
from tests.acceptance.killing.till import TILL


class KillAt:
    """Ends the process, as `kill -9` does, at the n-th time that `point` is reached."""

    def __init__(self, point: str, nth: int, trouble: str) -> None:
        """Each trouble happens once in a life."""
        self._point = point
        self._left = nth
        self._unknown = trouble == "unknown"
        self._freezes = int(trouble.removeprefix("freeze:")) if trouble.startswith("freeze:") else 0

    def reach(self, point: str) -> None:
        """Called at every fault point, in whatever thread reaches it."""
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        if self._freezes and point == "bus.subscribe:before":
            os.kill(self._freezes, signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGTERM)
            self._freezes = 0
        if self._unknown and point == "store.commit:after":
            self._unknown = False
            message = "the connection was lost while committing (made up)"
            raise CommitUnknown(message)


def main() -> int:
    """Run until killed or drained."""
    bus, application, store, point, nth, trouble = sys.argv[1:]
    points = KillAt(point, int(nth), trouble)
    worker = RunningWorker(TILL.wire(), bus_place(bus, application), store_place(store), points=points)
    threading.Thread(target=tell_when_ready, args=(worker,), daemon=True).start()
    return run_until_signal(worker, poll=0.02)


def tell_when_ready(worker: RunningWorker) -> None:
    """Print `ready` once all shards are owned."""
    while not worker.ready:
        worker.wait(0.01)
    sys.stdout.write("ready\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
