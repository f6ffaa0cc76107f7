"""`magnetar worker` as a process that can be armed: it ends itself with SIGKILL when it reaches a fault point."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

from magnetar.chaos.workloads.arms import ARMS, Arms
from magnetar.runtime.cli import working
from magnetar.runtime.compose.running import RunningWorker

if TYPE_CHECKING:
    from magnetar.chaos.workloads.arms import Arm

_LOOK: Final = 0.05
"""Seconds from one look at the file to the next: a point is reached some thousand times a second."""


class Armed:
    """See `Points`. Any thread that reaches one."""

    def __init__(self, arms: Arms) -> None:
        """Nothing is armed yet."""
        self._arms = arms
        self._arm: Arm | None = None
        self._passed, self._next = 0, 0.0

    def reach(self, point: str) -> None:
        """Die here, if it is to be here."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _LOOK
            before, self._arm = self._arm, self._arms.ordered
            self._passed = self._passed if before == self._arm else 0
        if self._arm is not None and point == self._arm.point:
            self._passed += 1
            if self._passed >= self._arm.nth:
                self._arms.die(point)


def main() -> None:
    """As the command line does, with fault points."""
    points = Armed(Arms(Path(os.environ[ARMS]), os.getpid()))
    with patch.object(working, "RunningWorker", partial(RunningWorker, points=points)):
        from magnetar.runtime.cli import main as run  # noqa: PLC0415 - it makes its commands when it is read

        run()
