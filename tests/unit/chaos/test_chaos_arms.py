"""Who is told to die at a fault point does so there, at that pass, and leaves word."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from magnetar.chaos.faults.points import Crash
from magnetar.chaos.faults.targets import WorkerOf
from magnetar.chaos.scenarios.making import fault_of
from magnetar.chaos.scenarios.reading import ScenarioRefused, parsed
from magnetar.chaos.workloads.arms import Arm, Arms

_LIFE = """
import os, sys
from pathlib import Path
from magnetar.chaos.workloads.armed import Armed
from magnetar.chaos.workloads.arms import Arms
points, passed = Armed(Arms(Path(sys.argv[1]), os.getpid())), 0
sys.stdin.readline()
while True:
    points.reach("phase:taken")
    passed += points._arm is not None  # since it has seen that it is armed
    print(passed, flush=True)
    points.reach("store.commit:after")
"""
TEXT = """
id: X01
title: A worker dies
text: Where it is told to.
faults:
  - do: crash
    who: {worker-of: desks/3}
    points: [phase:taken, store.commit:after]
    nth: 7
    for: 2
    repeat: {times: 3, every: 5}
"""


def test_it_dies_there_at_that_pass_and_leaves_word(tmp_path: Path) -> None:
    """By SIGKILL: nothing that it would do on its way out is done."""
    with subprocess.Popen(
        [sys.executable, "-c", _LIFE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        arms = Arms(tmp_path, process.pid)
        arms.order(Arm("store.commit:after", 5))
        told, _ = process.communicate(b"go\n", timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert arms.died == "store.commit:after"
    assert told.split()[-1] == b"5"


def test_who_is_disarmed_is_told_nothing(tmp_path: Path) -> None:
    """And has not died."""
    arms = Arms(tmp_path, 7)
    assert (arms.ordered, arms.died) == (None, "")
    arms.order(Arm("phase:taken", 3))
    assert arms.ordered == Arm("phase:taken", 3)
    arms.disarm()
    arms.disarm()
    assert arms.ordered is None


def test_each_turn_has_a_point_of_its_own() -> None:
    """And begins anew when all were struck; a point that is none is refused."""
    (deed,) = parsed(TEXT, Path("x.yaml")).faults
    found = [fault_of(deed, turn) for turn in range(3)]
    points = ("phase:taken", "store.commit:after", "phase:taken")
    assert found == [Crash(WorkerOf("desks/3"), point, 7) for point in points]
    assert found[0].title == "the worker of desks/3 dies at phase:taken, pass 7"
    with pytest.raises(ScenarioRefused, match="no fault points: phase:took; they are in docs"):
        parsed(TEXT.replace("phase:taken", "phase:took"), Path("x.yaml"))
