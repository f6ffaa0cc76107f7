"""The frame of a command that starts real servers, plays something on them, and leaves a report in a folder."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console

from magnetar.chaos.cluster.crew import CrewFailed
from magnetar.runtime.bus.port import BusError
from magnetar.runtime.servers.errors import ServerError
from magnetar.runtime.servers.locks import locked
from magnetar.runtime.store.port import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FAILED, INTERRUPTED = 4, 130
"""Exit status when the report could not be made: a server, the load, or a worker beside what was done to it; Ctrl-C."""
_DATA, _LOGS = "data", "logs"
_R = TypeVar("_R")


class OutputBusy(ServerError):
    """Somebody plays into the same folder."""

    def __init__(self, out: Path) -> None:
        """Which."""
        super().__init__(f"somebody else plays into {out}: wait, or choose another folder by --out")


_PROBLEMS = (CrewFailed, ServerError, BusError, StoreError)


def reported(
    out: Path,
    play: Callable[[Path, Callable[[str], None]], _R],
    leave: Callable[[_R, Console], int],
    *,
    width: int,
    problems: tuple[type[Exception], ...] = (),
) -> int:
    """Play it in a folder of its own, say how far it is, and leave what came of it; the exit status.

    `leave` prints the report, writes it, and gives the status. `width`: columns, where nobody's terminal says how many
    there are. `problems`: why no report could be made, beside what servers, workers, bus and store raise. Only one at a
    time in a folder; what one that was killed has left there goes first, and logs stay.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the first process of a namespace has no default one
    console = Console() if sys.stdout.isatty() else Console(width=width)
    data = out / _DATA
    known: tuple[type[Exception], ...] = (*_PROBLEMS, *problems)
    try:
        with locked(out / "lock", 0.0, OutputBusy(out)):
            shutil.rmtree(data, ignore_errors=True)
            data.mkdir()
            try:
                made = play(data, _teller(console))
            finally:
                shutil.rmtree(out / _LOGS, ignore_errors=True)
                keep_logs(data, out / _LOGS, "*.jsonl")
                shutil.rmtree(data, ignore_errors=True)
            return leave(made, console)
    except known as problem:
        console.print(f"error: {problem}", highlight=False, soft_wrap=True, markup=False)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _teller(console: Console) -> Callable[[str], None]:
    began = time.monotonic()

    def tell(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.1f} s[/]  {what}", highlight=False)

    return tell


def keep_logs(data: Path, logs: Path, more: str) -> None:
    """Copy those of workers, load and servers, as they are by now; `more`: a pattern of other files to keep."""
    logs.mkdir(parents=True, exist_ok=True)
    for pattern in ("*.log", "*.txt", more):
        for log in data.glob(pattern):
            shutil.copy(log, logs)
    for log in data.glob("*/**/server*.log"):  # server.1.log: of the process before
        shutil.copy(log, logs / log.name.replace("server", log.parent.parent.name))
