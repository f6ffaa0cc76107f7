"""Catches a worker in its commit: what PostgreSQL has of it is held back, until somebody else has the worker's shards.

A worker that thaws looks at its shards' epochs before it commits, so only a commit that is on its way by then can be
refused. The PostgreSQL process that serves the worker is stopped; what it is sent stays in the kernel, which answers
for it. If that is much, it is a commit, and the worker may be frozen; if not, the process goes on, and is stopped again
later.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MUCH = 16_000
"""Bytes: more than a worker asks with, less than a commit under load."""
_COMES, _ARRIVES = 0.5, 0.02
_AGAIN = 0.01
_TITLE = b"postgres: "
_IDLE = b" idle"
"""Whoever is stopped while it does something may hold locks, which would be held from all others."""


def caught(worker: str, port: int, pid: int, within: float) -> list[int]:
    """Stop what serves the worker at this address, with a commit held back; the processes, or none if none was caught.

    `port` is PostgreSQL's, `pid` the worker's. The caller freezes the worker now, and calls `let_go` later.
    """
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        serving = list(_serving(worker))
        _signal(serving, signal.SIGSTOP)
        if serving and all(_title(each).endswith(_IDLE) for each in serving) and _arrived(port, pid) >= MUCH:
            return serving
        let_go(serving)
        time.sleep(_AGAIN)
    return []


def _arrived(port: int, pid: int) -> int:
    """Bytes of the next thing that the worker wants of what is stopped, when all of it is there; 0 if nothing comes.

    Nothing is held from anybody else meanwhile: who is idle holds no locks.
    """
    deadline, before = time.monotonic() + _COMES, 0
    while time.monotonic() < deadline:
        time.sleep(_ARRIVES)
        unread = queued(_table("self"), port)[0]
        if unread and unread == before and not queued(_table(str(pid)), port)[1]:
            return unread
        before = unread
    return 0


def let_go(serving: Sequence[int]) -> None:
    """What was held back is answered now."""
    _signal(serving, signal.SIGCONT)


def queued(table: str, port: int) -> tuple[int, int]:
    """Of the kernel's table of connections: the most that one at this local port has not read, and all unsent to it."""
    unread, unsent = 0, 0
    for line in table.splitlines()[1:]:
        words = line.split()
        local, remote = (int(address.rpartition(":")[2], 16) for address in words[1:3])
        tx, rx = (int(queue, 16) for queue in words[4].split(":"))
        if local == port and words[3] == "01":
            unread = max(unread, rx)
        if remote == port:
            unsent += tx
    return unread, unsent


def _table(whose: str) -> str:
    return Path(f"/proc/{whose}/net/tcp").read_text(encoding="ascii")


def _serving(worker: str) -> Iterable[int]:
    """PostgreSQL's processes for connections from this address, by their titles."""
    client = f" {worker}(".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            title = _title(int(folder.name))
            if title.startswith(_TITLE) and client in title:
                yield int(folder.name)


def _title(pid: int) -> bytes:
    """What a process calls itself; nothing if it has just ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0 ")
    except OSError:
        return b""


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:  # it has just ended
            continue
