"""What is asserted of every group before it may be committed: a breach is a bug, and stops the worker."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from magnetar.runtime.errors import BrokenPromise
from magnetar.runtime.store.port import Disposition

if TYPE_CHECKING:
    from magnetar.runtime.store.port import ShardChanges

_APPLIED = Disposition.APPLIED.value


def check_versions(changes: ShardChanges) -> None:
    """Journal rows per key = version advance."""
    applied: dict[str, int] = {}
    settled = () if changes.parking is None else changes.parking.settled
    for row in chain(changes.journal, settled):
        if row.disposition == _APPLIED:
            applied[row.key] = applied.get(row.key, 0) + 1
    for write in changes.states:
        if write.row.version - write.over != applied.get(write.row.key, 0):
            message = (
                f"shard {changes.shard}, key {write.row.key!r}: version {write.over} → {write.row.version}, "
                f"but {applied.get(write.row.key, 0)} journal rows"
            )
            raise BrokenPromise(message)
