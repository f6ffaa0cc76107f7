"""Who hears what the engine does: metrics, progress bars, tests. One small class with empty hooks is the only seam."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusError, Busy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.errors import HandlerFailed
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardChanges, ShardName, StoreError
    from magnetar.runtime.worker.answers import Ending
    from magnetar.runtime.worker.breaker import BreakerState


class Takeover(StrEnum):
    """How a shard had been left when this worker won it. Few words, for they are a metric's label."""

    FIRST = "first"  # nobody has ever owned it
    RELEASED = "released"  # marked clean (R15)
    UNCLEAN = "unclean"  # its owner was killed, froze, or was cut off

    @classmethod
    def of(cls, epoch: int, *, clean: bool) -> Takeover:
        """From the row that the store gave: the epoch won, and whether the shard had been marked clean."""
        if epoch == 1:
            return cls.FIRST
        return cls.RELEASED if clean else cls.UNCLEAN


class Loss(StrEnum):
    """Why a shard is not this worker's any more."""

    RELEASED = "released"  # given back in order (R15)
    FENCED = "fenced"  # a commit was refused: this worker was a zombie (R6)
    TAKEN = "taken"  # its epoch has moved (R13)
    CONFLICT = "conflict"  # somebody else wrote its rows (R9)
    STORE = "store"  # too long without the store (R13)
    BROKER = "broker"  # too long without a connection (R32)
    BEHIND = "behind"  # the broker has seen more of it than the store knows (R11)


class Wait(StrEnum):
    """What is waited for."""

    STORE = "store"
    BROKER = "broker"
    SCHEMA = "schema"
    HOLDER = "holder"  # another worker has the partition; broker and store answer
    REFUSAL = "refusal"  # the store refuses a group for its content; its messages are tried one by one (R9)

    @classmethod
    def of(cls, error: BusError | StoreError) -> Wait:
        """Whose failure this is."""
        if isinstance(error, Busy):
            return cls.HOLDER
        return cls.BROKER if isinstance(error, BusError) else cls.STORE


class Observer:
    """Hooks, all empty. They run in the loop's thread; one that raises stops the worker."""

    def assigned(self, shards: Sequence[ShardName]) -> None:
        """These shards are this worker's to own, as the assignment says now (R14). None of them is fine."""

    def excluded(self, why: str) -> None:
        """The assignment passes this worker over: it may own nothing (R14, R16)."""

    def reached(self, dependency: Wait) -> None:
        """The store or the broker has answered, beside the work: a check of epochs, a heartbeat, a live connection."""

    def taken_over(self, shard: ShardName, how: Takeover) -> None:
        """This worker has won the shard; `owned` follows once everything of it is loaded."""

    def owned(self, shard: ShardName, epoch: int) -> None:
        """This worker owns the shard since this epoch."""

    def went_back(self, shard: ShardName, why: str) -> None:
        """The store is an older copy: what it lacks is handled again, under a new store generation (R11). An alarm."""

    def lost(self, shard: ShardName, why: str, loss: Loss) -> None:
        """This worker does not own the shard any more: in words, and as one of few reasons."""

    def stored(self, took: float) -> None:
        """A transaction has ended well; the store took so many seconds for it."""

    def refused(self, shard: ShardName) -> None:
        """The fence refused a commit of this shard: nothing of it was written (R6)."""

    def committed(self, group: Sequence[ShardChanges], at: Instant) -> None:
        """A group is durable. `at` is the store's time just after."""

    def failing(self, error: HandlerFailed) -> None:
        """A message has failed once more; told before that is committed, so it may be told again."""

    def duplicates(self, actor: str, count: int) -> None:
        """So many delivered messages were known already, and were ignored (R2)."""

    def skipped(self, actor: str, count: int) -> None:
        """So many events were on the actor's feeds that it does not take."""

    def rehomed(self, actor: str, count: int) -> None:
        """So many messages came to the wrong partition and were sent on (R31)."""

    def stale_timers(self, actor: str, count: int) -> None:
        """So many timers had been cancelled or replaced when they fired (R26)."""

    def unknown_commit(self, *, happened: bool) -> None:
        """A commit whose outcome was unknown has been read back (R8)."""

    def relayed(self, shard: ShardName, count: int, duplicates: int) -> None:
        """So many receipts came; of these the broker dropped so many as duplicates (R19)."""

    def blocked(self, shard: ShardName, destination: str, why: str) -> None:
        """A destination of the lane cannot go on by itself (R19)."""

    def called(self, dependency: str, ending: Ending, took: float) -> None:
        """A call of the outside has ended, or has had its time: what it came to, and in how many seconds (R29)."""

    def outcome(self, dependency: str, ending: Ending) -> None:
        """An outcome of an effect is handed to who has asked; after a crash before its commit it may be told again."""

    def breaker(self, dependency: str, state: BreakerState) -> None:
        """The breaker of a dependency is in this state now (R29)."""

    def waiting(self, shard: ShardName, why: str, on: Wait) -> None:
        """The shard waits for something: in words, and as one of few reasons. Told again at each try."""


class Observers(Observer):
    """Several observers as one. They hear in the order given."""

    def __init__(self, *observers: Observer) -> None:
        """At least none."""
        self._each = observers

    def assigned(self, shards: Sequence[ShardName]) -> None:
        """Pass on."""
        for each in self._each:
            each.assigned(shards)

    def excluded(self, why: str) -> None:
        """Pass on."""
        for each in self._each:
            each.excluded(why)

    def reached(self, dependency: Wait) -> None:
        """Pass on."""
        for each in self._each:
            each.reached(dependency)

    def taken_over(self, shard: ShardName, how: Takeover) -> None:
        """Pass on."""
        for each in self._each:
            each.taken_over(shard, how)

    def owned(self, shard: ShardName, epoch: int) -> None:
        """Pass on."""
        for each in self._each:
            each.owned(shard, epoch)

    def went_back(self, shard: ShardName, why: str) -> None:
        """Pass on."""
        for each in self._each:
            each.went_back(shard, why)

    def lost(self, shard: ShardName, why: str, loss: Loss) -> None:
        """Pass on."""
        for each in self._each:
            each.lost(shard, why, loss)

    def stored(self, took: float) -> None:
        """Pass on."""
        for each in self._each:
            each.stored(took)

    def refused(self, shard: ShardName) -> None:
        """Pass on."""
        for each in self._each:
            each.refused(shard)

    def committed(self, group: Sequence[ShardChanges], at: Instant) -> None:
        """Pass on."""
        for each in self._each:
            each.committed(group, at)

    def failing(self, error: HandlerFailed) -> None:
        """Pass on."""
        for each in self._each:
            each.failing(error)

    def duplicates(self, actor: str, count: int) -> None:
        """Pass on."""
        for each in self._each:
            each.duplicates(actor, count)

    def skipped(self, actor: str, count: int) -> None:
        """Pass on."""
        for each in self._each:
            each.skipped(actor, count)

    def rehomed(self, actor: str, count: int) -> None:
        """Pass on."""
        for each in self._each:
            each.rehomed(actor, count)

    def stale_timers(self, actor: str, count: int) -> None:
        """Pass on."""
        for each in self._each:
            each.stale_timers(actor, count)

    def unknown_commit(self, *, happened: bool) -> None:
        """Pass on."""
        for each in self._each:
            each.unknown_commit(happened=happened)

    def relayed(self, shard: ShardName, count: int, duplicates: int) -> None:
        """Pass on."""
        for each in self._each:
            each.relayed(shard, count, duplicates)

    def blocked(self, shard: ShardName, destination: str, why: str) -> None:
        """Pass on."""
        for each in self._each:
            each.blocked(shard, destination, why)

    def called(self, dependency: str, ending: Ending, took: float) -> None:
        """Pass on."""
        for each in self._each:
            each.called(dependency, ending, took)

    def outcome(self, dependency: str, ending: Ending) -> None:
        """Pass on."""
        for each in self._each:
            each.outcome(dependency, ending)

    def breaker(self, dependency: str, state: BreakerState) -> None:
        """Pass on."""
        for each in self._each:
            each.breaker(dependency, state)

    def waiting(self, shard: ShardName, why: str, on: Wait) -> None:
        """Pass on."""
        for each in self._each:
            each.waiting(shard, why, on)
