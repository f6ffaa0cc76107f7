"""What handling starts from, and what it makes of one shard's arrivals: a part of a group. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from magnetar.runtime.worker.stint import Stint

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pykka

    from magnetar.runtime.errors import HandlerFailed
    from magnetar.runtime.store.port import ShardChanges
    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.wiring import Wiring
    from magnetar.runtime.worker.arrival import Arrival
    from magnetar.runtime.worker.shard import Shard
    from magnetar.schemas import State


@dataclass(frozen=True, slots=True)
class Place:
    """What handling must know of where it runs. `partitions` is the partition count of every topic.

    `stint` tells whoever watches how far it has come.
    """

    wiring: Wiring
    partitions: Mapping[str, int]
    code: str
    edits: bool = False  # whether a person may change what dead letters say
    stint: Stint = field(default_factory=Stint)


@dataclass(slots=True)
class Handled:
    """One shard's part of a group: what to commit, and what memory becomes once it is committed.

    `failed`: every failure, in order, with the handler's exception as its cause. `refusals`: who asked for what has
    failed or waits, and what to tell them. `crashed`: those that had ended a worker, and wait or are dead for it.
    """

    shard: Shard
    changes: ShardChanges
    states: dict[str, tuple[State, int]] = field(default_factory=dict)
    replies: list[tuple[pykka.Future[Any], State]] = field(default_factory=list)
    refusals: list[tuple[pykka.Future[Any], Exception]] = field(default_factory=list)
    failed: list[HandlerFailed] = field(default_factory=list)
    crashed: list[Arrival] = field(default_factory=list)
    lifted: list[str] = field(default_factory=list)  # keys that go on at once
    unfinished: Request | None = None  # what was asked goes on in another group
    rehomed: int = 0
    stale: int = 0
