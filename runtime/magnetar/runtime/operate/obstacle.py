"""What may keep a key: the causes, in the order in which they have to end, and one of them as it is told."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Cause(StrEnum):
    """What may keep a key, in the order in which they have to end."""

    OWNERLESS = "shard without owner"
    BROKER = "broker out of reach"
    PAUSED = "paused by a person"
    HELD = "held after a dead letter"
    UNREAD = "first message cannot be read"
    RETRY = "retry pending"
    BREAKER = "breaker open"
    CROWDED = "queue of a dependency is full"
    GOING_ON = "what waited is being applied"
    SENDING = "decided messages are unsent"
    ASKED_AGAIN = "effect asked again"
    IN_FLIGHT = "effect in flight"
    TIMER = "timer awaited"
    NOTHING = "nothing is wrong"


class Obstacle(msgspec.Struct, frozen=True):
    """One thing that keeps the key. `since` None: not known. `at`: when `next` happens by itself; None: not known.

    `remedies` are what a person can do, each a command or a sentence.
    """

    cause: Cause
    what: str
    next: str
    since: datetime | None = None
    at: datetime | None = None
    remedies: list[str] = []
