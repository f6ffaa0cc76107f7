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

LOOKS = 4
"""So many looks does the watchdog take within a deadline."""

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


class Gaze:
    """Looks at the beginning of a step again and again.

    Looks are counted, not seconds: a process that was frozen for longer than the deadline has taken no time of its
    own, and must not end itself when it thaws.
    """

    def __init__(self) -> None:
        self._step: float | None = None
        self._looks = 0

    def tires(self, step: float) -> bool:
        """Whether this step, named by when it began, has been seen once more than a deadline has looks."""
        self._looks = self._looks + 1 if step == self._step else 0
        self._step = step
        return self._looks >= LOOKS


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
        gaze = Gaze()
        while not self._closing.wait(self._deadline / LOOKS):
            since = self._pulse.stepping_since
            if since is not None and gaze.tires(since):
                self._hung(time.monotonic() - since)
                return
            if since is None:
                gaze = Gaze()
