"""How an actor is run: frozen values, one per actor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of one actor.

    partitions: how many shards its keys are spread over; for life, as in any sharded store.
    punctuality: how long (seconds) a due timer may wait for messages published before its due time (R26).
    """

    partitions: int = 16
    punctuality: float = 5.0
