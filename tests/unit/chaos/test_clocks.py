"""Wall clocks that jump: a real program sees it, its monotonic clock does not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from magnetar.chaos.cluster import clocks as rooms
from magnetar.chaos.cluster.clocks import Clocks
from magnetar.chaos.cluster.errors import ClockFixed
from magnetar.chaos.cluster.profile import SMALL
from magnetar.chaos.faults.clocks import JumpClock
from magnetar.chaos.faults.targets import Named

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

WORKER, OTHER, BROKER = (SMALL.node(name) for name in ("worker-1", "worker-2", "broker-1"))
ASKED = """
import ctypes, datetime, json, sys, threading, time
libc = ctypes.CDLL(None)
told, held, until = (ctypes.create_string_buffer(64) for _ in range(3))  # no bytes but 0: as they begin
libc.pthread_mutex_lock(held)
for _ in sys.stdin:
    began = time.monotonic()
    threading.Event().wait(0.05)
    found = [time.time(), time.time_ns() / 1e9, datetime.datetime.now().timestamp(), time.monotonic()]
    seconds, rest = divmod(time.time_ns() + 50_000_000, 10**9)
    until.raw = seconds.to_bytes(8, sys.byteorder) + rest.to_bytes(8, sys.byteorder)
    libc.pthread_cond_timedwait(told, held, until)
    print(json.dumps([*found, found[3] - began, time.monotonic() - found[3]]), flush=True)
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """In a folder instead of an enclosure's `/run`."""
    monkeypatch.setattr(rooms, "_PLACE", tmp_path / "clocks")
    return Clocks([WORKER, OTHER])


@pytest.fixture
def program(made: Clocks) -> Generator[subprocess.Popen[str]]:
    """Who tells what time it is, as often as it is asked."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    command = [*made.prefix(WORKER), sys.executable, "-c", ASKED]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=dict(os.environ)) as started:
        yield started


def asked(program: subprocess.Popen[str]) -> list[float]:
    """What it says: three wall clocks, a monotonic one, and how long it waited for 50 ms, by each of these."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write("\n")
    program.stdin.flush()
    found: list[float] = json.loads(program.stdout.readline())
    return found


@pytest.mark.parametrize("seconds", [600.0, -600.0, 0.25])
def test_a_clock_jumps_while_its_program_runs(made: Clocks, program: subprocess.Popen[str], seconds: float) -> None:
    """Forth and back; who waits does not wait for longer, and nobody else's clock jumps."""
    for ahead in (0.0, seconds, 0.0):
        made.jump(WORKER, ahead)
        made.jump(OTHER, 86_400.0)
        before = time.time(), time.monotonic()
        *walls, monotonic, waited, until = asked(program)
        after = time.time(), time.monotonic()
        assert all(before[0] + ahead <= wall <= after[0] + ahead for wall in walls), walls
        assert before[1] <= monotonic <= after[1]
        assert 0.05 <= waited <= after[1] - before[1]
        assert 0.049 <= until <= after[1] - before[1]


def test_whose_clock_cannot_jump_is_told(made: Clocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that was started without it; and everybody, where there is no compiler."""
    with pytest.raises(ClockFixed, match="the clock of broker-1 cannot jump: only those of worker-1, worker-2 can"):
        made.jump(BROKER, 1.0)
    assert made.environ(BROKER) == {}
    monkeypatch.setattr(rooms, "_PLACE", tmp_path / "bare")
    monkeypatch.setenv("PATH", str(tmp_path))
    bare = Clocks([WORKER])
    assert bare.environ(WORKER) == {}
    with pytest.raises(ClockFixed, match="install gcc"):
        bare.jump(WORKER, 1.0)


def test_a_jump_is_proven_by_what_is_said(made: Clocks, monkeypatch: pytest.MonkeyPatch) -> None:
    """To two seconds; one who is not there says nothing."""

    class Place:
        clocks, profile = made, SMALL

        def station(self, node: object) -> Station:
            return Station(node)

    class Station:
        def __init__(self, node: object) -> None:
            self.node = node

        def lacks(self) -> str:
            return ""

    said: list[float | None] = []

    def told(station: object) -> float:
        found = said.pop(0)
        if found is None:
            raise OSError("refused")
        return found

    monkeypatch.setattr("magnetar.chaos.faults.clocks.ahead", told)
    ground: Any = Place()
    force = JumpClock(Named((WORKER.name,)), 600.0).inject(ground)
    said[:] = [None, 0.0, -600.0, 598.4]
    assert [bool(force.took_effect()) for _ in range(4)] == [False, False, False, True]
    force.heal()
    said[:] = [600.0, None, -1.0]
    assert [bool(force.healed()) for _ in range(3)] == [False, False, True]
