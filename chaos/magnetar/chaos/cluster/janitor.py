"""The first process of an enclosure: it starts the run, and when that ends, however it does, tidies up after it.

`python janitor.py FOLDER COMMAND…` runs the command, reaps whatever loses its parent meanwhile, and then undoes what is
still owed, newest first, lets frozen processes go, ends everybody, and gives the command's exit status. With its own
end, also by SIGKILL, the kernel ends every process and removes every network and mount in here. What is owed is for the
rest: a file system that is frozen, a limit that is written outside.

Debts are lines of JSON in FOLDER/debts.jsonl, written by `Debts` before the deed and again when it is undone: whoever
reads it later knows all, whenever the writer was killed. What was done is in FOLDER/janitor.log.

Standard library only: it starts in 30 ms, and nothing of the project can fail here.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

_DEBTS = "debts.jsonl"
_LOG = "janitor.log"
_FIRST = 1
_UNDO_SECONDS = 5.0
_GONE_SECONDS = 5.0
_POLL_SECONDS = 0.02


class Debts:
    """What must be undone, whoever is left to do it. Thread-safe: a line is written at once."""

    def __init__(self, folder: Path) -> None:
        """Kept in the run's folder."""
        self._path = folder / _DEBTS
        self._count = 0

    def owe(self, *undo: str) -> int:
        """From now on this command is owed; it must do no harm if there is nothing to undo. Its number, for `paid`."""
        self._count += 1
        self._write({"number": self._count, "undo": undo})
        return self._count

    def paid(self, number: int) -> None:
        """It has been undone."""
        self._write({"number": number, "paid": True})

    def _write(self, line: dict[str, object]) -> None:
        with self._path.open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")


def command(folder: Path) -> tuple[str, ...]:
    """How it is started: the command of the run follows."""
    return (sys.executable, "-I", "-S", __file__, str(folder))


def owed(text: str) -> list[list[str]]:
    """What is still to be undone, newest first; a last line that was cut short is of a deed that was not done."""
    open_now: dict[int, list[str]] = {}
    for line in text.split("\n")[:-1]:
        told = json.loads(line)
        if told.get("paid"):
            open_now.pop(told["number"], None)
        else:
            open_now[told["number"]] = told["undo"]
    return list(reversed(open_now.values()))


def main(arguments: Sequence[str]) -> int:
    """Run, and tidy up; see the module. 2 unless it is the first process of its namespace."""
    folder, told = Path(arguments[0]), arguments[1:]
    if os.getpid() != _FIRST:
        sys.stderr.write("the janitor ends every process that it can see: it must be the first one of its namespace\n")
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    child = subprocess.Popen(told)  # noqa: S603 - the run's own
    _pass_on(child.pid)
    status = _wait_for(child.pid)
    with (folder / _LOG).open("a", encoding="utf-8") as log:
        log.write(f"the run ended with status {status}\n")
        _tidy(folder, log.write)
    return status


def _pass_on(child: int) -> None:
    """Signals that ask for an end are the run's; Ctrl-C at a terminal reaches it without us."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)


def _tidy(folder: Path, tell: Callable[[str], object]) -> None:
    debts = folder / _DEBTS
    for undo in owed(debts.read_text(encoding="utf-8")) if debts.exists() else []:
        tell(f"undone: {' '.join(undo)}: {_undone(undo)}\n")
    for number in (signal.SIGCONT, signal.SIGKILL):  # everybody but us; nobody outside can be seen
        _signal_all(number)
    deadline = time.monotonic() + _GONE_SECONDS
    while _others() and time.monotonic() < deadline:
        _reap()
        time.sleep(_POLL_SECONDS)
    tell(f"left: {len(_others())} processes\n")


def _undone(undo: Sequence[str]) -> str:
    try:
        done = subprocess.run(undo, capture_output=True, text=True, check=False, timeout=_UNDO_SECONDS)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    return "done" if done.returncode == 0 else done.stderr.strip()


def _signal_all(number: signal.Signals) -> None:
    try:
        os.kill(-1, number)
    except ProcessLookupError:  # there is nobody
        return


def _others() -> list[int]:
    found = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in found if pid != _FIRST]


def _wait_for(wanted: int) -> int:
    """Wait for the run, and for everybody else who ends meanwhile; as a shell tells of a signal."""
    while True:
        pid, status = os.wait()
        if pid == wanted:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:  # no child is left
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
