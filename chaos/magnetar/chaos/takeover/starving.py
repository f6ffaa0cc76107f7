"""Whether the machine had time for what it was to show: who else took it, and how late a process wakes that wants to.

`python -m magnetar.chaos.takeover.starving RECORD PID DELAYS` sleeps in small steps and writes a line twice a second:
when, how late the worst of its steps was, how long it took to bring a little to the disk (both microseconds), and of
the processors' time so far, in ticks: stolen by who shares the hardware, busy, all of it, and what PID and its
descendants have used. Twenty times a second it writes to DELAYS for how long the loop of each worker has waited for a
processor in all (`delays`). Standard library only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

STEP = 0.01
EACH, OFTEN = 50, 5
"""Steps of a line, and of one in DELAYS."""
LATEST = 0.5
"""Seconds: who wakes later once, or waits longer for the disk, is starving."""
STOLEN = 0.1
OTHERS = 0.2
"""Shares of the processors' time: of other machines on the same hardware, and of other programs on this machine."""
_MODULE = "magnetar.chaos.takeover.starving"  # run as a program, it has another name
_GONE_SECONDS = 20.0
_IDLE = (3, 4)
_STEAL, _KINDS = 7, 8


class Look(NamedTuple):
    """One line: an instant, microseconds, and ticks since the machine began."""

    at: int
    late: int
    disk: int
    stolen: int
    busy: int
    ticks: int
    ours: int


class Hunger(NamedTuple):
    """How a stretch of time was: seconds, and shares of the processors' time."""

    worst: float
    disk: float
    stolen: float
    others: float

    def __str__(self) -> str:
        late = f"at worst a process woke {self.worst * 1000:.0f} ms late, the disk took {self.disk * 1000:.0f} ms"
        return f"{late}; other programs took {self.others:.0%} of the processors, other machines {self.stolen:.0%}"

    @property
    def is_starving(self) -> bool:
        """Whether what was measured meanwhile says nothing."""
        return max(self.worst, self.disk) > LATEST or self.stolen > STOLEN or self.others > OTHERS


def hunger(looks: Iterable[Look], begin: int, end: int) -> Hunger | None:
    """How it was between two instants; None if nobody looked twice."""
    inside = [look for look in looks if begin <= look.at <= end]
    if not inside or inside[0].ticks == inside[-1].ticks:
        return None
    first, last = inside[0], inside[-1]
    ticks, busy, ours = last.ticks - first.ticks, last.busy - first.busy, last.ours - first.ours
    return Hunger(
        worst=max(look.late for look in inside) / 1e6,
        disk=max(look.disk for look in inside) / 1e6,
        stolen=(last.stolen - first.stolen) / ticks,
        others=max(0, busy - ours) / ticks,
    )


def read(path: Path) -> list[Look]:
    """What was written; a line that is cut short is left out."""
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return [Look(*map(int, words)) for words in lines if len(words) == len(Look._fields)]


@contextmanager
def watched(folder: Path) -> Generator[Path]:
    """Somebody writes down for the block whether this program and its children had time; yields RECORD.

    DELAYS is `delays.txt` beside it.
    """
    record = folder / "starving.txt"
    watch = subprocess.Popen(  # noqa: S603 - this module
        [sys.executable, "-m", _MODULE, str(record), str(os.getpid()), str(folder / "delays.txt")],
        start_new_session=True,
    )
    try:
        yield record
    finally:
        watch.kill()
        watch.wait(_GONE_SECONDS)


def main() -> int:
    """Write until killed."""
    root, disk, loops = int(sys.argv[2]), 0, Loops()
    with (
        Path(sys.argv[1]).open("w", encoding="ascii") as record,
        Path(sys.argv[3]).open("w", encoding="ascii") as delays,
    ):
        while True:
            late = round(max(_late_while_looking(step, loops, delays) for step in range(EACH)) * 1e6)
            processes = _processes()
            loops.find(processes)
            look = Look(time.time_ns() // 1000, late, disk, *_processors(), used(root, processes))
            record.write(" ".join(map(str, look)) + "\n")
            record.flush()
            began = time.monotonic()
            os.fdatasync(record.fileno())
            disk = round((time.monotonic() - began) * 1e6)


class Loops:
    """The threads that run the workers' loops, and the kernel's account of each."""

    NAME, OF = "magnetar-loop", "python"

    def __init__(self) -> None:
        self._accounts: dict[int, Path] = {}

    def find(self, processes: Iterable[int]) -> None:
        """Look for the loops of those that have none yet. The first thread of that name: it passes its name on."""
        for process in processes:
            folder = Path(f"/proc/{process}")
            if process not in self._accounts and _comm(folder).startswith(self.OF):
                threads = sorted(_numbered(folder / "task"), key=lambda thread: int(thread.name))
                loop = next((thread for thread in threads if _comm(thread) == self.NAME), None)
                if loop is not None:
                    self._accounts[process] = loop / "schedstat"

    def waited(self) -> str:
        """`process:microseconds` of each that is there."""
        return " ".join(f"{process}:{told}" for process in list(self._accounts) if (told := self._told(process)))

    def _told(self, process: int) -> str:
        try:
            return str(int(self._accounts[process].read_text(encoding="ascii").split()[1]) // 1000)
        except (OSError, IndexError):  # it has just ended
            del self._accounts[process]
            return ""


def used(root: int, processes: dict[int, tuple[int, int]]) -> int:
    """Ticks of a process and its descendants, those that are gone included; `processes`: pid → (parent, ticks)."""
    return sum(ticks for pid, (_, ticks) in processes.items() if _descends(pid, root, processes))


def _descends(pid: int, root: int, processes: dict[int, tuple[int, int]]) -> bool:
    while pid != root and pid in processes:
        pid = processes[pid][0]
    return pid == root


def _late_while_looking(step: int, loops: Loops, delays: TextIO) -> float:
    if step % OFTEN == 0:
        delays.write(f"{time.time_ns() // 1000} {loops.waited()}\n")
        delays.flush()
    return _late()


def _late() -> float:
    wanted = time.monotonic() + STEP
    time.sleep(STEP)
    return max(0.0, time.monotonic() - wanted)


def _processors() -> tuple[int, int, int]:
    """Stolen, busy with programs of this machine, all."""
    line = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    ticks = [int(word) for word in line.split()[1 : 1 + _KINDS]]
    return ticks[_STEAL], sum(ticks) - ticks[_STEAL] - sum(ticks[at] for at in _IDLE), sum(ticks)


def _processes() -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    for folder in _numbered(Path("/proc")):
        try:
            text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has just ended
            continue
        words = text[text.rindex(")") + 2 :].split()  # the name before it may hold anything
        found[int(folder.name)] = int(words[1]), sum(map(int, words[11:15]))
    return found


def _numbered(folder: Path) -> list[Path]:
    """Processes, or threads of one; none of one that has just ended."""
    try:
        return [each for each in folder.iterdir() if each.name.isdigit()]
    except OSError:
        return []


def _comm(of: Path) -> str:
    """What the kernel calls a process or a thread."""
    try:
        return (of / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
