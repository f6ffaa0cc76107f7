"""A worker process is killed at every fault point in turn, on a SQLite file and a real Pulsar, under load.

One life per point, one after another over the same store and topics; in the end everything sent must have been
applied exactly once and everything decided must have been published exactly once, by an independent read.
"""

from __future__ import annotations

import signal

import pytest

from magnetar.runtime.worker.points import all_points
from tests.acceptance.killing.experiment import Till, set_back, settle
from tests.acceptance.killing.life import Life
from tests.acceptance.killing.worker import Plan

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
    {f"{port}.close" for port in ("consumer", "producer", "bus", "store")}
    | {"store.release", "store.depart", "consumer.leave", "producer.leave"}
)
"""Ports that a healthy worker calls only when it is asked to leave."""

GOES_BACK = ("consumer.cursor", "consumer.seek")
"""Reached for sure in a store that went back only (R11). Last: whoever dies there leaves it to the next one."""


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


def lived(till: Till, point: str, nth: int) -> int:
    """One worker process, until it dies at `point` or is drained; returns its exit status."""
    with Life(Plan(till.places, point, nth, trouble_for(till, point)), till.errors) as life:
        try:
            if point.partition(":")[0] in AT_THE_END:
                life.drain()
            status = life.status()
        finally:
            till.server.resume()
        if status not in {0, -signal.SIGKILL}:
            life.fail(f"has ended with {status} on the way to {point}")
    return status


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled_when_the_worker_dies_at_any_fault_point(till: Till) -> None:
    """Killed once at every named fault point, the worker applies everything once and publishes everything once."""
    not_reached: list[str] = []
    for point in in_order():
        till.feed()
        often = point.startswith(OFTEN) and point.partition(":")[0] not in AT_THE_END
        if lived(till, point, till.chance.choice([1, 2, 3]) if often else 1) == 0:
            not_reached.append(point)
    assert not_reached == [], "these points were not reached"
    settle(till)
