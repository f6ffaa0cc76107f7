"""What bugs of the fence have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from magnetar.runtime.store.sqlite.database import SQL

if TYPE_CHECKING:
    from magnetar.runtime.store.port import ShardChanges


def epoch_of(connection: Any, shard: str) -> int:
    """The epoch that is in the store."""
    return int(connection.rows(SQL["standing"], (shard,))[0][1])


def as_it_stands(connection: Any, changes: ShardChanges) -> ShardChanges:
    """The changes under the epoch and the count that are in the store, so that its fence lets them pass."""
    _, epoch, _, commits, *_ = connection.rows(SQL["shard"], (changes.shard,))[0]
    return replace(changes, epoch=epoch, commits=commits)
