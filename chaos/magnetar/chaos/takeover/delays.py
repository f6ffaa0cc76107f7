"""How long a worker's loop was ready to run while no processor took it, by the kernel's account of that thread. Pure.

The kernel adds a wait to its account when it is over. So a wait is known by its end and its length.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from magnetar.chaos.takeover.tenures import Tenure
    from magnetar.runtime.instant import Instant


class Sample(NamedTuple):
    """What a process's loop had waited in all by then. Microseconds."""

    at: Instant
    waited: Instant


def waited(samples: Sequence[Sample], begin: Instant, end: Instant) -> Instant:
    """For how long of a stretch it waited, at the least: whatever two samples leave open counts as outside of it."""
    return sum(
        max(0, min(after.waited - before.waited, before.at - begin) - max(0, after.at - end))
        for before, after in pairwise(samples)
        if begin <= before.at < end
    )


def starved(delays: Mapping[int, Sequence[Sample]], tenures: Iterable[Tenure], begin: Instant, end: Instant) -> Instant:
    """For how long of a stretch whoever had the shard, or was to have it next, was ready to run and did not."""
    return sum(
        waited(delays.get(tenure.process, ()), max(begin, tenure.begin), min(end, tenure.end))
        for tenure in tenures
        if tenure.begin < end and tenure.end > begin
    )


def read(text: str) -> dict[int, list[Sample]]:
    """What was written, by process: lines of an instant and `process:waited` each. One cut short is left out."""
    found: dict[int, list[Sample]] = {}
    whole, _, _ = text.rpartition("\n")
    for line in whole.splitlines():
        at, *pairs = line.split()
        for process, _, told in (pair.partition(":") for pair in pairs):
            found.setdefault(int(process), []).append(Sample(int(at), int(told)))
    return found
