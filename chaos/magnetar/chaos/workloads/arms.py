"""Whoever is to die at a fault point is told so by files, and leaves word by one.

They are in the folder that `MAGNETAR_CHAOS_ARMS` names: `<pid>` says at which point, and at which pass of it since
then; `<pid>.died` is left behind by whoever has died there.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

ARMS: Final = "MAGNETAR_CHAOS_ARMS"


class Arm(NamedTuple):
    """Where to die, and at which pass."""

    point: str
    nth: int


class Arms:
    """Of one process, `pid`; whoever arms it writes, and the process reads."""

    def __init__(self, folder: Path, pid: int) -> None:
        """Nothing is armed."""
        self._order, self._died = folder / str(pid), folder / f"{pid}.died"

    def order(self, arm: Arm) -> None:
        """From the next look on."""
        self._order.parent.mkdir(exist_ok=True)
        unfinished = self._order.with_suffix(".new")
        unfinished.write_text(f"{arm.nth} {arm.point}", encoding="utf-8")
        unfinished.replace(self._order)

    def disarm(self) -> None:
        """Nothing to do if it is not armed."""
        self._order.unlink(missing_ok=True)

    @property
    def ordered(self) -> Arm | None:
        """What is asked of it now."""
        try:
            nth, point = self._order.read_text(encoding="utf-8").split(" ")
        except FileNotFoundError:
            return None
        return Arm(point, int(nth))

    @property
    def died(self) -> str:
        """The point that it died at; empty if it did not."""
        return self._died.read_text(encoding="utf-8") if self._died.exists() else ""

    def die(self, point: str) -> None:
        """Leave word first: what is written outlives the process."""
        self._died.write_text(point, encoding="utf-8")
        os.kill(os.getpid(), signal.SIGKILL)
