"""A worker process is killed at every fault point in turn, on a SQLite file and a real Pulsar, under load.

One life per point, one after another over the same store and topics; in the end everything sent must have been
applied exactly once and everything decided must have been published exactly once, by an independent read.
"""

from __future__ import annotations

import signal
import subprocess
from select import select

import pytest

from magnetar.runtime.worker.points import all_points
from tests.acceptance.killing.experiment import LIFE, Recruits, Till, set_back, settle

OFTEN = (
    "store.commit",
    "store.dispositions",
    "store.states",
    "producer.",
    "consumer.receive",
    "consumer.ack",
    "phase:taken",
)
"""Points that every life passes many times: they are killed at the first or a later pass."""
AT_THE_END = frozenset(
    {"store.release", "store.depart", "consumer.close", "producer.close", "bus.close", "store.close"}
)
"""Ports that a healthy worker calls only when it is asked to leave."""

GOES_BACK = "consumer.seek"
"""Reached in a store that went back only (R11). These come last: whoever dies there leaves it to the next one."""


def in_order() -> list[str]:
    """Every fault point."""
    return sorted(all_points(), key=lambda point: point.startswith(GOES_BACK))


def trouble_for(till: Till, point: str) -> str:
    """What must go wrong so that a life reaches `point`."""
    if point.startswith(("store.reconnect", "phase:unknown")):
        return "unknown"
    if point.startswith("opening.abandon"):
        return f"freeze:{till.server.process.pid}"
    if point.startswith("bus.renew"):
        return f"silence:{till.server.process.pid}"
    if point.startswith(GOES_BACK):
        set_back(till)
    return "none"


def live(till: Till, recruits: Recruits, point: str, nth: int) -> int:
    """One worker process, until it dies at `point` or is drained; returns its exit status."""
    trouble = trouble_for(till, point)
    with recruits.call([*till.places, point, str(nth), trouble]) as life:
        try:
            if point.partition(":")[0] in AT_THE_END:
                hear_ready(life)
                life.send_signal(signal.SIGTERM)
            _, errors = life.communicate(timeout=LIFE)
        except subprocess.TimeoutExpired:
            life.kill()
            _, errors = life.communicate()
            pytest.fail(f"{point} was not reached within {LIFE} s; its stderr:\n{errors}")
        finally:
            till.server.resume()
    if life.returncode not in {0, -signal.SIGKILL}:
        pytest.fail(f"on the way to {point} the worker ended with {life.returncode}:\n{errors}")
    return life.returncode


def hear_ready(life: subprocess.Popen[str]) -> None:
    """Wait until it owns all shards; `TimeoutExpired` when it does not."""
    assert life.stdout is not None
    if not select([life.stdout], [], [], LIFE)[0]:
        raise subprocess.TimeoutExpired(life.args, LIFE)
    assert life.stdout.readline() == "ready\n"


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled_when_the_worker_dies_at_any_fault_point(till: Till) -> None:
    """Killed once at every named fault point, the worker applies everything once and publishes everything once."""
    not_reached: list[str] = []
    with Recruits() as recruits:
        for point in in_order():
            till.feed()
            often = point.startswith(OFTEN) and not point.startswith("producer.close")
            if live(till, recruits, point, till.chance.choice([1, 2, 3]) if often else 1) == 0:
                not_reached.append(point)
    assert not_reached == [], "these points were not reached"
    settle(till)
