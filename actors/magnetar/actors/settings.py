"""What differs from one shop to another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """Durations are seconds.

    payment_timeout: how long an order that is reserved waits for its payment.
    stock_timeout: how long a placed order waits for stock's answers.
    unclaimed_timeout: how long captured money waits for an order that nobody has placed.
    settled_memory: how long a SKU remembers an ended reservation; not shorter than `stock_timeout`, for that is what
    makes forgetting safe (see `magnetar.actors.stocking.rules`).
    settled_most: how many ended reservations a SKU remembers at most.
    partitions: of every actor; for life, as in any sharded store.
    """

    payment_timeout: float = 1800.0
    stock_timeout: float = 60.0
    unclaimed_timeout: float = 86_400.0
    settled_memory: float = 600.0
    settled_most: int = 256
    partitions: int = 16

    def __post_init__(self) -> None:
        """Refuse what would break the fence of stock."""
        if self.settled_memory < self.stock_timeout:
            message = (
                f"settled_memory={self.settled_memory} must not be shorter than stock_timeout={self.stock_timeout}"
            )
            raise ValueError(message)
