"""Replays of many dead letters: rows of the tools' own (R27), part of the store port.

What is replayed is chosen once, in one transaction; each letter has the id of its request from then on. So a tool that
dies half-way, and another that goes on, ask nothing twice.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName
    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.store.views import Which


class ReplayStatus(StrEnum):
    """How far a replay has come. One that is *running* may have been interrupted: it can be resumed."""

    RUNNING = "running"
    STOPPED = "stopped"  # too many have failed again
    DONE = "done"


class Replay(NamedTuple):
    """A replay. `canary`: so many go first, alone; then `rate` letters a second, until a share of `stop_at` has failed.

    `chosen` says in words what was chosen, `most` how often a letter may have been replayed before, `said` how it
    ended.
    """

    id: bytes
    chosen: str
    who: str
    why: str
    canary: int
    rate: float
    stop_at: float
    most: int
    begun_at: Instant
    letters: int
    status: str
    said: str
    ended_at: Instant | None


class ReplayLetter(NamedTuple):
    """A letter of a replay. `number`: its place, from 1: those of one key are in the order in which they died."""

    number: int
    request: bytes
    actor: str
    message_id: bytes
    shard: ShardName
    key: str


class Replayed(NamedTuple):
    """What became of a letter's request; only those that were asked."""

    number: int
    status: str


class Requests(Protocol):
    """What a tool writes, on a connection of its own; one thread. Each call is one transaction."""

    def ask(self, requests: Sequence[Request]) -> None:
        """Insert them; those whose id is there already stay as they are, so asking again asks nothing twice.

        `asked_at` is set by the store's clock. `StoreUnavailable`, `CommitUnknown`; either way asking again is right.
        """
        ...

    def freeze(self, replay: Replay, which: Which, messages: Sequence[bytes]) -> int:
        """Write the replay, and the letters that are chosen now; returns how many. `begun_at` is set by the clock.

        `messages`: only of these, where there are any. A replay whose id is there already stays as it is.
        """
        ...

    def end(self, replay: bytes, status: ReplayStatus, said: str) -> None:
        """Say how a replay has ended, or that it goes on."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
