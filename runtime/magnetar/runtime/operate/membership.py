"""Who is there: a worker is alive while both the store and the broker have heard of it lately (R14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.instant import SECOND

if TYPE_CHECKING:
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import Member

LATELY = 3 * SECOND
"""A heartbeat and a broker's answer must be younger, in microseconds by the store's clock."""


def is_alive(member: Member, now: Instant) -> bool:
    """Whether the worker counts as alive at `now`, by the store's clock."""
    return max(now - member.seen, now - member.heard) < LATELY
