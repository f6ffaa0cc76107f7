"""How an actor is run: frozen values, one per actor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """What is done with a message whose handling fails, and with its key (DESIGN §7). Checked with the app.

    immediate: how often it is tried in a row, in place, before its key is parked; 1: no second time.
    tiers: seconds to wait before it is tried again, one for each further attempt, the last one repeated; each has a
        topic of its own, so a tier that is taken away leaves its topic behind. Ascending, in whole milliseconds.
    attempts: how often it is tried in all; then it is a dead letter.
    jitter: by which share a wait is lengthened at most, so that what failed together does not come back together.
        Derived from message and attempt: no randomness.
    crashes: how often a worker may end with it in hand, before it is a dead letter. One is not proof: somebody else may
        have ended the worker just then.
    afterwards: what the key does once its message is a dead letter: `hold`, wait for an operator, everything behind it
        in order; `skip`, go on without it.
    alarm: so many messages waiting on one key raise an alarm.
    bound: at so many waiting on one key its shard stops receiving.
    """

    immediate: int = 2
    tiers: tuple[float, ...] = (10.0, 60.0, 600.0)
    attempts: int = 12
    crashes: int = 3
    jitter: float = 0.1
    afterwards: Literal["hold", "skip"] = "hold"
    alarm: int = 1_000
    bound: int = 10_000


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of one actor.

    partitions: how many shards its keys are spread over; for life, as in any sharded store.
    punctuality: how long (seconds) a due timer may wait for messages published before its due time (R26).
    deadline: how long (seconds) a handler may take; one that takes longer ends its worker, as a crash (R28).
    retry: what is done with a message whose handling fails.
    """

    partitions: int = 16
    punctuality: float = 5.0
    deadline: float = 10.0
    retry: Retry = field(default_factory=Retry)
