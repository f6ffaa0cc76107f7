"""A server that is several processes: frozen, thawed and killed as one, as a machine would be.

PostgreSQL serves each connection by a child process. To freeze the first process alone would leave connections
answering; to kill it alone would leave them writing for a moment.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from magnetar.runtime.servers.process import ServerProcess


def children(pid: int) -> list[int]:
    """The pids of the process's children."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _parent(entry) == pid]


def _parent(entry: Path) -> int | None:
    try:
        about = (entry / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(about[about.rindex(")") + 2 :].split()[1])


def freeze(process: ServerProcess) -> None:
    """SIGSTOP for all: the first one first, so that it makes no more children meanwhile."""
    process.signal(signal.SIGSTOP)
    _signal_children(process, signal.SIGSTOP)


def thaw(process: ServerProcess) -> None:
    """SIGCONT for all."""
    _signal_children(process, signal.SIGCONT)
    process.signal(signal.SIGCONT)


def kill(process: ServerProcess) -> None:
    """SIGKILL for all, and wait until the first one is gone. Raises `ServerStuck`."""
    freeze(process)
    _signal_children(process, signal.SIGKILL)
    process.kill()


def _signal_children(process: ServerProcess, number: signal.Signals) -> None:
    # A child's pid is not used anew before its parent has waited for it, and a parent that is frozen does not.
    for pid in children(process.pid) if process.alive() else []:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
