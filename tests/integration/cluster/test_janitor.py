"""Whoever of a run is killed, and whatever it was doing: nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.servers.process import until

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).parents[3]
MARK = "MAGNETAR_TEST_MARK"
SECONDS = 10.0


def marked(folder: Path) -> dict[int, list[str]]:
    """The processes that stem from this test, by their numbers out here, with their command lines."""
    found: dict[int, list[str]] = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"{MARK}={folder}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "cmdline").read_text().split("\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def the_one(folder: Path, part: str) -> int:
    """The one of them that has this in its command, and is not on its way to be somebody else."""
    found = [pid for pid, words in marked(folder).items() if any(part in word for word in words[:4])]
    assert len(found) == 1, marked(folder)
    return found[0]


@pytest.fixture
def held(enclosures: None, tmp_path: Path) -> Generator[subprocess.Popen[str]]:
    """A run with a fault in force."""
    with _holding(tmp_path) as run:
        yield run


@contextmanager
def _holding(tmp_path: Path, *also: str) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.integration.cluster.holding", str(tmp_path), *also]
    environ = {**os.environ, MARK: str(tmp_path)}
    run = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    with run.stdout:
        assert run.stdout.readline() == "held\n"
        yield run
    run.kill()
    run.wait(SECONDS)


def _nothing_is_left(folder: Path) -> bool:
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    return not marked(folder) and str(folder) not in mounts and not list(Path("/run").glob("netns/magnetar-chaos-*"))


def test_the_controller_is_killed_and_the_janitor_undoes_all(held: subprocess.Popen[str], tmp_path: Path) -> None:
    """It pays what is owed, ends who is frozen, says so, and gives the status of who was killed."""
    assert any("sleep" in words[0] for words in marked(tmp_path).values())
    os.kill(the_one(tmp_path, "tests.integration.cluster.holding"), signal.SIGKILL)
    assert held.wait(SECONDS) == 128 + signal.SIGKILL
    assert until(lambda: _nothing_is_left(tmp_path), SECONDS), marked(tmp_path)
    assert (tmp_path / "undone").exists()
    log = (tmp_path / "janitor.log").read_text(encoding="utf-8")
    assert log.splitlines() == [
        "the run ended with status 137",
        f"undone: touch {tmp_path / 'undone'}: done",
        "left: 0 processes",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a disk that hangs")
def test_a_frozen_disk_is_thawed_before_anybody_is_ended(enclosures: None, tmp_path: Path) -> None:
    """Whoever writes to it could not be: the run would hang for ever, and its disk with it."""
    with _holding(tmp_path, "frozen") as run:
        assert any("touch" in words[0] for words in marked(tmp_path).values())
        os.kill(the_one(tmp_path, "tests.integration.cluster.holding"), signal.SIGKILL)
        run.wait(SECONDS)
        assert until(lambda: _nothing_is_left(tmp_path), SECONDS), marked(tmp_path)
    log = (tmp_path / "janitor.log").read_text(encoding="utf-8").splitlines()
    assert log[1] == f"undone: fsfreeze --unfreeze {tmp_path / 'bookie'}: done"
    assert log[-1] == "left: 0 processes"


@pytest.mark.parametrize("victim", ["janitor.py", "unshare"])
def test_the_janitor_is_killed_and_the_kernel_ends_all(
    victim: str, held: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Or whoever started it; that it cannot pay what is owed is why it does nothing but wait."""
    os.kill(held.pid if victim == "unshare" else the_one(tmp_path, victim), signal.SIGKILL)
    held.wait(SECONDS)
    assert until(lambda: _nothing_is_left(tmp_path), SECONDS), marked(tmp_path)
