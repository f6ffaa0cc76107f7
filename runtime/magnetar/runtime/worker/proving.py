"""What a partition shows of whether the store is an older copy, without the REST API (R11). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Position


def is_next(first: Position, applied: Position) -> bool:
    """Whether the first delivery of a subscription shows that nothing behind `applied` is acknowledged.

    It does when it is no later than the next message: entries of a ledger are counted without a gap, and cumulative
    acknowledgements leave none. Of messages in batches, and of the first in a ledger, it cannot be told.
    """
    in_the_ledger = first.ledger == applied.ledger and max(first.batch, applied.batch) < 0
    return first <= applied or (in_the_ledger and first.entry == applied.entry + 1)


def is_none_after(applied: Position, newest: Position) -> bool:
    """Whether a partition, by its last message, holds nothing behind `applied`.

    In one entry it does only if it is the very message: of a batch that the broker did not look into, it tells none.
    """
    return newest == applied or (newest.ledger, newest.entry) < (applied.ledger, applied.entry)
