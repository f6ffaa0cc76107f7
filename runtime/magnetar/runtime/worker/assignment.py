"""Which worker should have which shard: pure, balanced, and as it is now as far as that goes (R14).

Balanced rendezvous over what is there: every worker keeps what it has up to its share, and what is left over goes to
those with room, each shard to the one that scores highest for it. So all who see the same come to the same answer
without a word, a join or a leave moves nothing that could stay, and no two workers ever differ by more than one shard.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from magnetar.runtime.store.port import ShardName


def assign(owners: Mapping[ShardName, str], workers: Collection[str]) -> dict[ShardName, str]:
    """Shard → worker. `owners` are those of now; a name that is not among `workers` has nothing to say.

    Empty when there are no workers.
    """
    if not workers:
        return {}
    held: dict[str, list[ShardName]] = {worker: [] for worker in sorted(workers)}
    for shard, owner in owners.items():
        if owner in held:
            held[owner].append(shard)
    room = _shares(len(owners), {worker: len(shards) for worker, shards in held.items()})
    wanted: dict[ShardName, str] = {}
    for worker, shards in held.items():
        for shard in sorted(shards, key=lambda shard: score(shard, worker), reverse=True)[: room[worker]]:
            wanted[shard] = worker
            room[worker] -= 1
    for shard in sorted(owners.keys() - wanted.keys()):
        worker = max((each for each in room if room[each]), key=lambda each: score(shard, each))
        wanted[shard] = worker
        room[worker] -= 1
    return wanted


def _shares(shards: int, held: Mapping[str, int]) -> dict[str, int]:
    """How many each may have: the same for all, and one more for those that have more already, else by name.

    Not for those that have most: that changes while shards are on their way, and nobody must change their mind then.
    """
    share, more = divmod(shards, len(held))
    first = sorted(held, key=lambda worker: (held[worker] <= share, worker))
    return {worker: share + (place < more) for place, worker in enumerate(first)}


def in_order(shard: ShardName, workers: Collection[str]) -> list[str]:
    """The workers by their score for the shard: who may try for it when those before do not (R14)."""
    return sorted(workers, key=lambda worker: score(shard, worker), reverse=True)


def score(shard: ShardName, worker: str) -> bytes:
    """Rendezvous hashing (Thaler and Ravishankar, 1998): the highest of the workers wins the shard."""
    return blake2b(f"{shard}\0{worker}".encode(), digest_size=8).digest()
