"""A server's process: told from any other, started with a record, and signalled only if it is still that one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.servers import launch
from magnetar.runtime.servers.accounts import Guise
from magnetar.runtime.servers.errors import NotPermitted, ServerDied, ServerStuck, StateUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_POLL_SECONDS = 0.02
_GONE_SECONDS = 15.0


class ServerProcess(msgspec.Struct, frozen=True, kw_only=True):
    """One process for good: its pid, and what tells it from a later process with that pid."""

    pid: int
    born: str

    def alive(self) -> bool:
        """Whether it runs, or is paused; an ended process that nobody has waited for is not alive."""
        return launch.born(self.pid) == self.born

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal; False if the process is gone. Raises `NotPermitted` for another user's."""
        try:
            if self.alive():
                os.kill(self.pid, number)
                return True
        except ProcessLookupError:  # ended between the two lines
            return False
        except PermissionError as problem:
            raise NotPermitted(self.pid) from problem
        return False

    def end(self, within: float) -> bool:
        """Ask it to stop, also if it is paused, and kill it after `within` seconds; True if it stopped by itself."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        if until(lambda: not self.alive(), within):
            return True
        self.kill()
        return False

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone. Raises `ServerStuck` if that takes longer than 15 s."""
        self.signal(signal.SIGKILL)
        if not until(lambda: not self.alive(), _GONE_SECONDS):
            raise ServerStuck(self.pid, _GONE_SECONDS)


def recorded(pid_file: Path) -> ServerProcess | None:
    """The live process of a record, or None; raises `StateUnreadable` for a file that is no record."""
    try:
        process = msgspec.json.decode(pid_file.read_bytes(), type=ServerProcess)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as problem:
        raise StateUnreadable(pid_file, str(problem)) from problem
    return process if process.alive() else None


class Launched:
    """A process just started: who it is, and the launcher that guards it if it is tied to us."""

    def __init__(self, process: ServerProcess, launcher: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._launcher = launcher

    def reap(self, within: float = _GONE_SECONDS) -> int:
        """Wait for the launcher, which ends with its server (a server that is not tied has none any more).

        Gives the server's exit status if it was tied, 128 and its number for a signal; raises `ServerStuck`.
        """
        try:
            return self._launcher.wait(within)
        except subprocess.TimeoutExpired as problem:
            raise ServerStuck(self.process.pid, within) from problem


def start(
    command: Sequence[str],
    *,
    pid_file: Path,
    lock: int,
    log: Path,
    environ: Mapping[str, str],
    tied: bool,
    guise: Guise | None = None,
) -> Launched:
    """Run a command in a session of its own, its output appended to `log`, its identity in `pid_file`.

    The process takes over `lock` and holds it for as long as it lives. `tied`: it is killed when we end, however we do.
    `guise`: who it runs as, if not as we do, and what it is to find open.
    Raises `ServerDied` if it could not even be launched.
    """
    parent = os.getpid() if tied else 0
    guise = guise or Guise()
    user = "-" if guise.account is None else f"{guise.account.uid}:{guise.account.gid}"
    with log.open("ab") as output:
        launcher = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", launch.__file__, str(pid_file), str(lock), str(parent), user, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            env=dict(environ),
            cwd=pid_file.parent,
            pass_fds=[lock, *guise.files],
            start_new_session=True,
        )
    assert launcher.stdout is not None
    with launcher.stdout:
        record = launcher.stdout.readline()
    if not tied or not record:
        launcher.wait(_GONE_SECONDS)
    if not record:
        raise ServerDied(log)
    return Launched(msgspec.json.decode(record, type=ServerProcess), launcher)


def until(condition: Callable[[], bool], within: float) -> bool:
    """Look every 20 ms for at most `within` seconds whether the condition holds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
