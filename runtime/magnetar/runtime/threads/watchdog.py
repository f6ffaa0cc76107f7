"""The watchdog: a handler that hangs past its deadline ends the process, as a crash would (R28)."""

from __future__ import annotations

import faulthandler
import math
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.threads.loop import Pulse
    from magnetar.runtime.worker.stint import Stint

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
        self._step: tuple[float, int] | None = None
        self._looks = 0

    def tires(self, step: float, message: int = 0, looks: int = LOOKS) -> bool:
        """Whether this step, named by when it began, has been at this message for so many looks and one."""
        self._looks = self._looks + 1 if (step, message) == self._step else 0
        self._step = step, message
        return self._looks >= looks


class Backstop:
    """For what lets no other thread run: code in C that keeps the interpreter's lock and never returns.

    A thread that needs no lock ends the process, with a traceback of every thread, unless `look` is called every now
    and then. It counts seconds: a process that was frozen for six deadlines ends when it thaws. Its shards are
    others' by then. There is one for a process, and its owner must be the process's: it is Python's own.
    """

    def __init__(self, deadline: float) -> None:
        """`deadline`: what the slowest handler may take, in seconds."""
        self._pause = deadline / LOOKS
        self._after = 6 * deadline
        self._due = 0.0

    def look(self) -> None:
        """The process is alive. Costs nothing when it was called lately."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + self._pause
            faulthandler.dump_traceback_later(self._after, exit=True)

    @staticmethod
    def close() -> None:
        """Nobody looks any more, and that is well."""
        faulthandler.cancel_dump_traceback_later()


class Watchdog:
    """A daemon thread that looks at the loop's pulse, four times within the shortest deadline that there is."""

    def __init__(
        self,
        pulse: Pulse,
        deadline: float = 10.0,
        hung: Callable[[float], None] = end_process,
        stint: Stint | None = None,
        quickest: float = math.inf,
    ) -> None:
        """`hung` is called in the watchdog's thread with the seconds that the step has taken.

        `deadline` (seconds) is that of a step; while a handler runs, `stint` tells which message it is at and what
        that one may take, `quickest` at least.
        """
        self._pulse = pulse
        self._deadline = deadline
        self._hung = hung
        self._stint = stint
        self._pause = min(deadline, quickest) / LOOKS
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="magnetar-watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._closing.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        gaze = Gaze()
        while not self._closing.wait(self._pause):
            since = self._pulse.stepping_since
            if since is not None and gaze.tires(since, *self._at()):
                self._hung(time.monotonic() - since)
                return
            if since is None:
                gaze = Gaze()

    def _at(self) -> tuple[int, int]:
        """Which message is in hand, and how many looks it may take."""
        stint = self._stint
        deadline = None if stint is None else stint.deadline
        count = 0 if stint is None else stint.count
        return count, math.ceil((self._deadline if deadline is None else deadline) / self._pause - 1e-9)
