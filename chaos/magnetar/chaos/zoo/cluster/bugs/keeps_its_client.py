"""A worker that has lost a shard keeps what it had open for it: consumers, producers, and what waits in them.

R13: closing means that the client's object is gone. The client of a worker that was cut off comes back with the
network: it opens again, by their names, the producers that the next owner has had no use for so far, and that one's
rows find no way to there as long as this process lives.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Change, Promise
from magnetar.chaos.zoo.cluster.bug import ClusterBug
from magnetar.runtime.worker.ownership import Ownership

_KEPT: list[Any] = []
"""The client lets go of what nobody holds."""


def _kept(close: Any, ownership: Any, shard: Any) -> None:
    if shard not in ownership._holdings.lost:  # it is released, in order
        close(ownership, shard)
        return
    _KEPT.append((shard, ownership._relay._outlets.pop(shard.name, None)))
    for known in (ownership._farewells, ownership._queue, ownership._going, ownership._cut_since):
        known.pop(shard.name, None)


def _stayed(*_: Any) -> None:
    """Nothing of a lost shard is left."""


BUG = ClusterBug(
    __name__,
    rules=("R13",),
    promise=Promise.PUBLISHED,
    play="Z05",
    caught_by="liveness",
    changes=(Change(Ownership, "_leave", _stayed), Change(Ownership, "_close", _kept)),
)
