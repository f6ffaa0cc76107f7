"""Real processes under a real supervisor: they come back, end in order, and never outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.runtime.threads.processes import Processes
from magnetar.runtime.threads.supervision import FAILED, OK, Patience, Supervision

if TYPE_CHECKING:
    import pytest

WAIT = 30.0
BAD = 2
QUICK = Patience(first=0.02, most=0.1, settled=1000.0, drain=0.3, grace=0.2)

CHILD = """
import os, signal, sys, time
from pathlib import Path
from magnetar.runtime.threads.processes import Lifeline
folder, place, how = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def told(number, frame):
    (folder / f"drained-{place}-{os.getpid()}").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if how == "deaf" else told)
if how != "deaf":
    Lifeline()
(folder / f"runs-{place}-{os.getpid()}").touch()
if how == "bad":
    sys.exit(2)
if how == "dies":
    sys.exit(7)
while True:
    time.sleep(60)
"""

SUPERVISOR = """
import logging, sys
from magnetar.runtime.compose.process import supervise_until_signal
logging.basicConfig(level=logging.INFO)
child, folder, how = sys.argv[1:]
def command(place):
    return [sys.executable, "-c", child, folder, str(place), how]
sys.exit(supervise_until_signal(command, 2, bad_input=2, drain=float(5), poll=0.02))
"""


class Family:
    """A supervisor in a process of its own, and what its children have left in a folder."""

    def __init__(self, folder: Path, how: str = "lives") -> None:
        """Started."""
        self._folder = folder
        command = [sys.executable, "-c", SUPERVISOR, CHILD, str(folder), how]
        self._said = folder / "stderr"
        with self._said.open("wb") as stderr:
            self.life = subprocess.Popen(command, stderr=stderr)

    @property
    def said(self) -> str:
        """What the supervisor has told so far."""
        return self._said.read_text(encoding="utf-8")

    def pids(self, what: str) -> dict[int, str]:
        """Of those that run, or have drained: pid → place."""
        found = [path.name.split("-") for path in self._folder.glob(f"{what}-*")]
        return {int(pid): place for _, place, pid in found}

    def until_both_run(self) -> list[int]:
        """Their pids."""
        until(lambda: len(self.alive()) == 2, "two children")
        return sorted(self.alive())

    def alive(self) -> list[int]:
        """Children that are there now."""
        return [pid for pid in self.pids("runs") if lives(pid)]

    def end(self) -> tuple[int, str]:
        """How it ended, and what it said."""
        return self.life.wait(WAIT), self.said


def lives(pid: int) -> bool:
    """Whether it is a process, and not just the remains of one."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def until(question: Callable[[], bool], what: str) -> None:
    """Wait for a condition, or fail."""
    end = time.monotonic() + WAIT
    while not question():
        assert time.monotonic() < end, f"no {what} within {WAIT} s"
        time.sleep(0.01)


@contextmanager
def family(folder: Path, how: str = "lives") -> Generator[Family]:
    """Nobody is left behind, whatever happens."""
    made = Family(folder, how)
    try:
        yield made
    finally:
        made.life.kill()
        made.life.wait(WAIT)
        for pid in made.alive():
            os.kill(pid, signal.SIGKILL)


def test_sigterm_drains_all(tmp_path: Path) -> None:
    """Each is asked once, and the whole ends with 0."""
    with family(tmp_path) as parent:
        pids = parent.until_both_run()
        parent.life.send_signal(signal.SIGTERM)
        assert parent.end()[0] == OK
        assert sorted(parent.pids("drained")) == pids
        assert sorted(parent.pids("drained").values()) == ["0", "1"]
        assert parent.alive() == []


def test_ctrl_c_on_a_terminal_reaches_children_through_the_supervisor_only(tmp_path: Path) -> None:
    """They are not of its process group: the terminal's signal would be their first, the supervisor's their second."""
    with family(tmp_path) as parent:
        pids = parent.until_both_run()
        assert os.getpgid(parent.life.pid) not in {os.getpgid(pid) for pid in pids}
        parent.life.send_signal(signal.SIGINT)
        assert parent.end()[0] == OK
        assert sorted(parent.pids("drained")) == pids


def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    """In its place; the other runs on, and the supervisor says what happened."""
    with family(tmp_path) as parent:
        first = parent.until_both_run()
        os.kill(first[0], signal.SIGKILL)
        until(lambda: len(parent.pids("runs")) == 3, "third child")
        second = parent.until_both_run()
        assert first[1] in second
        new = next(pid for pid in second if pid not in first)
        assert parent.pids("runs")[new] == parent.pids("runs")[first[0]]
        parent.life.send_signal(signal.SIGTERM)
        status, said = parent.end()
        assert status == OK
        assert "was ended by SIGKILL" in said


def test_children_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    """In order: their pipes end, as they would on any other death of it."""
    with family(tmp_path) as parent:
        pids = parent.until_both_run()
        parent.life.kill()
        until(lambda: not any(lives(pid) for pid in pids), "end of the children")
        assert sorted(parent.pids("drained")) == pids


def test_a_second_signal_ends_all_at_once(tmp_path: Path) -> None:
    """Also those that do not listen."""
    with family(tmp_path, "deaf") as parent:
        pids = parent.until_both_run()
        parent.life.send_signal(signal.SIGTERM)
        until(lambda: "asked to end" in parent.said, "drain")
        parent.life.send_signal(signal.SIGTERM)
        assert parent.end()[0] == 130
        until(lambda: not any(lives(pid) for pid in pids), "end of the children")


def test_bad_input_ends_the_whole_with_its_status(tmp_path: Path) -> None:
    """No restart loop."""
    with family(tmp_path, "bad") as parent:
        status, said = parent.end()
        assert status == BAD
        assert len(parent.pids("runs")) <= 2
        assert "cannot be started as it is" in said


def _supervised(command: Callable[[int], list[str]], asked: threading.Event, count: int = 1) -> int:
    supervision = Supervision(count, QUICK, BAD, time.monotonic())
    return Processes(command, supervision).run(asked, poll=0.01)


def _in_thread(command: Callable[[int], list[str]]) -> tuple[threading.Thread, threading.Event, list[int]]:
    asked, ended = threading.Event(), list[int]()
    thread = threading.Thread(target=lambda: ended.append(_supervised(command, asked)), daemon=True)
    thread.start()
    return thread, asked, ended


def test_whoever_does_not_drain_in_time_is_killed(tmp_path: Path) -> None:
    """And the whole did not end in order."""
    thread, asked, ended = _in_thread(lambda place: [sys.executable, "-c", CHILD, str(tmp_path), str(place), "deaf"])
    until(lambda: any(tmp_path.glob("runs-*")), "child")
    asked.set()
    thread.join(WAIT)
    assert ended == [FAILED]
    [pid] = [int(path.name.split("-")[2]) for path in tmp_path.glob("runs-*")]
    assert not lives(pid)


def test_a_program_that_is_not_there_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It may be there again soon: the disk is being changed. Each try is said."""
    program = tmp_path / "program"
    thread, asked, ended = _in_thread(lambda _: [str(program)])
    until(lambda: caplog.text.count("cannot be started") >= 3, "third try")
    here = tmp_path / "here"
    script = f"#!{sys.executable}\nimport pathlib, signal\npathlib.Path({str(here)!r}).touch()\nsignal.pause()\n"
    ready = tmp_path / "ready"
    ready.write_text(script, encoding="utf-8")
    ready.chmod(0o755)
    ready.rename(program)
    until(here.exists, "start")
    asked.set()
    thread.join(WAIT)
    assert ended == [OK]


def test_one_that_dies_at_once_comes_back_for_ever(tmp_path: Path) -> None:
    """Until it is told to stop."""
    thread, asked, ended = _in_thread(lambda place: [sys.executable, "-c", CHILD, str(tmp_path), str(place), "dies"])
    until(lambda: len(list(tmp_path.glob("runs-*"))) >= 4, "fourth life")
    asked.set()
    thread.join(WAIT)
    assert ended in ([OK], [FAILED])  # whether one was dying just then
