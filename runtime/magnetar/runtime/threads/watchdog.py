"""The watchdog: a handler that hangs past its deadline ends the process, as a crash would (R28)."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.threads.loop import Pulse

HUNG = 70
"""Exit status of a process that the watchdog ended."""


def end_process(stalled: float) -> None:
    """Say where every thread stands, and end the process without any clean-up: what is not committed was not done."""
    sys.stderr.write(
        f"magnetar: the loop has been in one step for {stalled:.1f} s (a handler that hangs?); ending the process\n"
    )
    faulthandler.dump_traceback(file=sys.stderr)
    sys.stderr.flush()
    os._exit(HUNG)


class Watchdog:
    """A daemon thread that looks at the loop's pulse every quarter of the deadline."""

    def __init__(self, pulse: Pulse, deadline: float = 10.0, hung: Callable[[float], None] = end_process) -> None:
        """`hung` is called in the watchdog's thread with the seconds that the step has taken."""
        self._pulse = pulse
        self._deadline = deadline
        self._hung = hung
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="magnetar-watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._closing.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while not self._closing.wait(self._deadline / 4):
            since = self._pulse.stepping_since
            stalled = 0.0 if since is None else time.monotonic() - since
            if stalled > self._deadline:
                self._hung(stalled)
                return
