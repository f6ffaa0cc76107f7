"""Who hears what the engine does: metrics, progress bars, tests. One small class with empty hooks is the only seam."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardChanges, ShardName


class Observer:
    """Hooks, all empty. They run in the loop's thread; one that raises stops the worker."""

    def owned(self, shard: ShardName, epoch: int) -> None:
        """This worker owns the shard since this epoch."""

    def lost(self, shard: ShardName, why: str) -> None:
        """This worker does not own the shard any more."""

    def committed(self, group: Sequence[ShardChanges], at: Instant) -> None:
        """A group is durable. `at` is the store's time just after."""

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

    def waiting(self, shard: ShardName, why: str) -> None:
        """The shard waits for something outside: a schema, the store, the broker."""
