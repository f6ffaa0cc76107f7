"""What differs from one shop to another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """Durations are seconds.

    payment_timeout: how long an order that is reserved waits for its payment.
    stock_timeout: how long a placed order waits for stock's answers.
    unclaimed_timeout: how long captured money waits for an order that nobody has placed.
    partitions: of every actor; for life, as in any sharded store.
    settled_kept: ended reservations that a SKU remembers at most (see `magnetar.actors.stocking.rules`).
    """

    payment_timeout: float = 1800.0
    stock_timeout: float = 60.0
    unclaimed_timeout: float = 86_400.0
    partitions: int = 16
    settled_kept: int = 256
