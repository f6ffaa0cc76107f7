"""Names of threads for whoever looks at a process from outside: `top -H`, `py-spy`, `/proc`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

LOOP, RECEIVER = "magnetar-loop", "magnetar-recv"
"""The kernel keeps fifteen letters."""


def show_as(name: str) -> None:
    """Name the calling thread. Those that it starts are called the same until they say otherwise.

    A system that has no such names goes on without.
    """
    with suppress(OSError):
        Path("/proc/thread-self/comm").write_text(name, encoding="ascii")
