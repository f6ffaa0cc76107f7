"""How many shards changed hands, and how many had to. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from magnetar.runtime.store.port import ShardName


class Held(NamedTuple):
    """Who has a shard, and since which epoch."""

    owner: str
    epoch: int


class Moves(NamedTuple):
    """`made`: how often a shard got an owner. `least`: how often one had to, for sizes that differ by one at most."""

    made: int
    least: int

    def __add__(self, other: object) -> Moves:
        """Of two events together."""
        if not isinstance(other, Moves):
            return NotImplemented
        return Moves(self.made + other.made, self.least + other.least)


def made(before: Mapping[ShardName, Held], after: Mapping[ShardName, Held]) -> int:
    """Changes of hands between two looks: each takes one epoch, also one there and back."""
    return sum(held.epoch - before[shard].epoch for shard, held in after.items())


def least(owners: Mapping[ShardName, str], workers: Collection[str]) -> int:
    """How many shards must change hands until these workers share all of them, in sizes that differ by one at most."""
    if not workers:
        return 0
    size, larger = divmod(len(owners), len(workers))
    counts = Counter(owner for owner in owners.values() if owner in workers)
    held = sorted((counts[worker] for worker in workers), reverse=True)
    stay = sum(min(count, size + (at < larger)) for at, count in enumerate(held))
    return len(owners) - stay


def is_balanced(owners: Mapping[ShardName, str], workers: Collection[str]) -> bool:
    """Whether these workers, and nobody else, have all shards, in sizes that differ by one at most."""
    if not workers or any(owner not in workers for owner in owners.values()):
        return False
    counts = Counter(owners.values())
    sizes = [counts[worker] for worker in workers]
    return max(sizes) - min(sizes) <= 1
