"""Who works, and who has what: rows by which workers know of each other (R13, R14). Part of the store port."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magnetar.runtime.instant import SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName


class Beat(NamedTuple):
    """What a worker says of itself once a second (R13). `silence`: since its last broker round trip.

    `left_alone`: dependencies that it does not call now, as `worker.breaker` writes them; '' for none.
    """

    worker: str
    code: str
    contracts: int
    actors: str  # those that it serves, parted by commas
    silence: Instant
    progress: int  # groups committed so far
    leaving: bool
    left_alone: str = ""


class Member(NamedTuple):
    """A worker as the store saw it last: when it came, was seen, and had heard the broker, by the store's clock.

    Hints only (R14): what it may do is decided by broker and fence.
    """

    worker: str
    code: str
    contracts: int
    actors: str
    since: Instant
    seen: Instant
    heard: Instant
    progress: int
    leaving: bool
    left_alone: str = ""

    def serves(self, actor: str) -> bool:
        """Whether it may own shards of the actor."""
        return actor in self.actors.split(",")


MEMORY_OF_WORKERS = 3600 * SECOND
"""Workers that were not seen for so long are forgotten."""


class Standing(NamedTuple):
    """Who has a shard, as its row says now; fields as in `ShardRow`."""

    epoch: int
    owner: str
    since: Instant
    contracts: int


class Roster(NamedTuple):
    """All workers and the standing of all shards, at one instant of the store's clock."""

    now: Instant
    members: tuple[Member, ...]
    shards: Mapping[ShardName, Standing]
