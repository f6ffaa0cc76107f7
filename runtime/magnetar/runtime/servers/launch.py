"""Starts one server process so that it can always be found again, and so that it never outlives who it is tied to.

Run as a script of its own: ``python -I -S launch.py PIDFILE LOCK PARENT USER COMMAND…``. It forks the process that
becomes the server, writes who that is to PIDFILE, and only then lets it run the command; whatever dies in between,
there is no server without a record. Its one line of output is that record.

* LOCK is an inherited descriptor. Only the server keeps it: it is free when the server is gone.
* PARENT is 0 for a server that lives on its own: the launcher then leaves at once.
* Otherwise PARENT is the process that the server must not outlive, and the launcher stays to see to it. On Linux the
  kernel also kills the server should the launcher itself be killed.
* USER is `-`, or the `uid:gid` that the server runs as, with no other groups: some servers refuse root.

Standard library only: it starts in 20 ms, and nothing of the project is loaded in a process that forks.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

_LOOK_SECONDS = 0.05
_PR_SET_PDEATHSIG = 1
_ENDED = frozenset("ZX")
_ENDING = (signal.SIGTERM, signal.SIGHUP)


def born(pid: int) -> str | None:
    """What tells this process from any later one with the same pid; None if there is no such live process."""
    if Path("/proc/self/stat").exists():
        return _born_linux(pid)
    asked = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        env={"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    status, _, started = asked.stdout.strip().partition(" ")
    return started.strip() if started and status[0] not in _ENDED else None


def _born_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(")") + 2 :].split()  # the name before it may hold anything
    if fields[0] in _ENDED and int(fields[17]) <= 1:  # until its last thread has ended, its files and ports are held
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {fields[19]}"  # ticks from boot to its start


def main(arguments: Sequence[str]) -> int:
    """Launch; see the module."""
    pid_file, lock, parent = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    may_run, let_run = os.pipe()
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)  # until the guard is there to pass them on
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        os.close(let_run)
        _become(arguments[4:], lock, may_run, user=arguments[3], tied=parent != 0)
    os.close(may_run)
    os.close(lock)
    record = json.dumps({"pid": child, "born": born(child)})
    _write(pid_file, record)
    sys.stdout.write(record + "\n")
    sys.stdout.flush()
    os.write(let_run, b"\n")
    return 0 if parent == 0 else _guard(child, parent)


def _become(command: Sequence[str], lock: int, may_run: int, *, user: str, tied: bool) -> None:
    """In the child: wait to be recorded, then turn into the server. Never returns."""
    try:
        launcher = os.getppid()
        os.setsid()
        if user != "-":
            _switch_to(user)
        if tied:  # after switching: the kernel forgets the wish with the old user
            _die_with_parent(launcher)
        if os.read(may_run, 1):  # nothing: the launcher died before it could record us
            os.set_inheritable(lock, True)  # noqa: FBT003 - takes no keyword
            os.dup2(2, 1)
            os.execvp(command[0], list(command))  # noqa: S606
    except OSError as problem:
        os.write(2, f"{command[0]} cannot be run: {problem}\n".encode())
    finally:
        os._exit(127)


def _switch_to(user: str) -> None:
    """Give up this user for good; needs to be root."""
    uid, _, gid = user.partition(":")
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))


def _die_with_parent(launcher: int) -> None:
    """Ask the kernel for SIGKILL when the launcher ends; where it cannot be asked, the launcher alone sees to it."""
    if not sys.platform.startswith("linux"):
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != launcher:  # it had ended before the kernel was asked
        os._exit(127)


def _write(path: Path, text: str) -> None:
    """By rename: a reader sees the old record or the new one."""
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _guard(child: int, parent: int) -> int:
    """Wait for the server and give its exit status; kill it when the parent is gone, or when asked to end."""

    def kill(_number: int, _frame: FrameType | None) -> None:
        os.kill(child, signal.SIGKILL)

    for number in _ENDING:
        signal.signal(number, kill)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code  # as a shell tells of a signal
        if os.getppid() != parent:
            os.kill(child, signal.SIGKILL)
        time.sleep(_LOOK_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
