"""Whether the workers fit the shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.operate.doctor.facts import StoreFacts
from magnetar.runtime.operate.doctor.finding import Check, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.operate.doctor.facts import Facts

WORKERS = Check(
    "workers",
    "the workers that are alive, against the shards of all actors",
    "at least one, and no more than there are shards",
    "without a worker nothing is applied; a shard has one owner, so a worker beyond their number has nothing to do",
    "R14",
    "Start one (`magnetar worker MODULE:APP`), or stop those that are too many.",
)
CHECKS = (WORKERS,)


def worker_findings(facts: Facts) -> Iterator[Finding]:
    """Where the store could say who is alive."""
    if not isinstance(facts.store, StoreFacts) or facts.store.workers is None:
        return
    workers, shards = facts.store.workers, sum(facts.actors.values())
    found = f"{workers} alive for {shards} shards"
    if workers == 0:
        yield WORKERS.advice("workers", found, f"magnetar worker {facts.target}")
    elif workers > shards:
        yield WORKERS.advice("workers", found, f"stop {workers - shards}: they have nothing to do")
    else:
        yield WORKERS.ok("workers", found)
