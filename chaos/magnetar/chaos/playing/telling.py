"""What whoever waits is shown: a line on stderr for whatever happens, and how it is now."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from pathlib import Path

    from magnetar.chaos.record.shape import Record

_EACH, _PLAINLY = 1.0, 10.0
"""Seconds from one look to the next: at a terminal, and where each is a line of its own."""


class Teller:
    """One run's; see `magnetar.chaos.playing.stage.Tell`."""

    def __init__(self, noise: Path) -> None:
        """What libraries write to stderr by themselves goes to the file `noise` from now on."""
        self._began = self._looked = time.monotonic()
        self._console = Console(file=os.fdopen(os.dup(sys.stderr.fileno()), "w"), soft_wrap=True, highlight=False)
        self._status = self._console.status("")
        with noise.open("ab") as file:
            os.dup2(file.fileno(), sys.stderr.fileno())

    def __call__(self, what: str) -> None:
        """A line, with the time since the begin."""
        self._console.print(f"[dim]{time.monotonic() - self._began:6.1f} s[/]  ", end="")
        self._console.print(what, markup=False)

    def live(self, state: str) -> None:
        """The last line of a terminal; elsewhere a line now and then."""
        now, terminal = time.monotonic(), self._console.is_terminal
        if not state or now - self._looked < (_EACH if terminal else _PLAINLY):
            return
        self._looked = now
        if terminal:
            self._status.update(state)
            self._status.start()
        else:
            self(f"  {state}")

    def show(self, record: Record, out: Path) -> None:
        """What one scenario came to."""
        self._status.stop()
        self(f"{record.scenario.id} is {record.verdict.value}: {out / record.id}")
        for reason in record.reasons:
            self(f"  {reason}")
