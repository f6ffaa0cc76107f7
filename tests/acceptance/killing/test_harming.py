"""A worker process meets every error that its ports may raise, on a SQLite file and a real Pulsar, under load.

The same as the crash matrix does in simulation, of what one process can meet: each error at each fault point, and each
write whose outcome stays unknown, once. In the end the invariants of the kill test must hold.
"""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from subprocess import PIPE
from tempfile import TemporaryFile
from typing import IO

import pytest

from magnetar.chaos.matrix.actions import ACTIONS
from magnetar.runtime.worker.points import all_points
from tests.acceptance.killing.experiment import Till, set_back, settle
from tests.acceptance.killing.harmed import ANSWERED
from tests.acceptance.killing.life import LIFE, ended

ONE_PROCESS = ("exception", "happened", "lost")
"""What can be done to a process from within, and leaves it alive."""

QUIET = 1.5
"""Seconds without a failure after which a life is asked to leave: some points are passed on the way out only."""

LONG_QUIET = 6.0
"""The same for those of `LAST`: all that is known comes again first, and nothing of it is opened."""

LIVES = 5

COMMITS = 4
"""So often each failure strikes a commit: not every group has something to lose."""

PINGS = 12
"""So often in a row no broker answers: the worker connects anew several times (R32)."""

LAST = ("bus.schema", "consumer.seek")
"""While a schema cannot be fetched a shard waits for seconds (R30); and only a store that went back seeks (R11)."""


def planned() -> dict[str, list[str]]:
    """Fault point, or answer → what is to fail there."""
    plan: dict[str, list[str]] = {}
    for point in all_points():
        actions = [action for action in ONE_PROCESS if not ACTIONS[action].refuses(point)]
        if actions:
            plan[point] = actions * (COMMITS if point.startswith("store.commit") else 1)
    for call in ANSWERED:
        plan[f"{call}:answer"] = ["exception"] * (PINGS if call == "bus.ping" else 1)
    return plan


def live(till: Till, plan: dict[str, list[str]], quiet: float) -> None:
    """One worker process, fed until nothing fails any more for so long; what has failed is taken out of the plan."""
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.acceptance.killing.harmed", *till.places]
    with (
        TemporaryFile("w+") as errors,
        ended(subprocess.Popen([*command, json.dumps(plan)], stdout=PIPE, stderr=errors, text=True)) as life,
    ):
        assert life.stdout is not None
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(life.stdout, lines), daemon=True)
        reader.start()
        patience = LIFE
        while line := _hear(till, lines, patience):
            patience = quiet
            _strike_out(plan, line)
        _end(life)
        reader.join(LIFE)
        while not lines.empty():
            _strike_out(plan, lines.get())
        errors.seek(0)
        assert life.returncode == 0, errors.read()


def _read(output: IO[str], lines: queue.SimpleQueue[str]) -> None:
    for line in output:
        lines.put(line.strip())


def _hear(till: Till, lines: queue.SimpleQueue[str], patience: float) -> str:
    """The next line, while deposits come in; empty when nothing was heard for so long (seconds)."""
    ends = time.monotonic() + patience
    while time.monotonic() < ends:
        till.feed()
        with suppress(queue.Empty):
            return lines.get(timeout=0.05)
    return ""


def _strike_out(plan: dict[str, list[str]], line: str) -> None:
    """Take a failure that has happened out of the plan."""
    action, _, point = line.partition("@")
    if point:
        plan[point].remove(action)


def _end(life: subprocess.Popen[str]) -> None:
    """Ask it to drain; one that does not is killed, and tells where it stood."""
    life.send_signal(signal.SIGTERM)
    try:
        life.wait(2 * LIFE)  # it gives up by itself before, and says so
    except subprocess.TimeoutExpired:
        life.send_signal(signal.SIGABRT)
        life.wait()


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled_whatever_the_ports_raise(till: Till) -> None:
    """Each error at each point, and each write of unknown outcome: everything is applied and published once."""
    plan = planned()
    assert "lost" in plan["store.commit:before"]
    assert "happened" in plan["store.commit:after"]
    last = {point: plan.pop(point) for point in list(plan) if point.startswith(LAST)}
    for failures in (plan, last):
        for _ in range(LIVES):
            till.feed()
            if failures is last:
                set_back(till)
            live(till, failures, LONG_QUIET if failures is last else QUIET)
            if not any(failures.values()):
                break
        left = {point: actions for point, actions in failures.items() if actions}
        assert left == {}, "these failures never happened"
    settle(till)
