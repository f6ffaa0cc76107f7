"""Which orders are placed when: every partition in turn, so that a shard that stands still is noticed at once. Pure.

An order, its article and its payment are of one partition number, so each partition is a line of its own.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.routing import partition_of
from magnetar.schemas import Money
from magnetar.schemas.commerce import Capture, Line, Place, Restock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.schemas import Command

PAID_AFTER = 0.4
"""Seconds from an order to its payment, whatever has become of the order by then."""
ARTICLES = 8
"""SKUs of each partition."""
_PRICE = Money(1_000, "EUR")
_STOCK = 10**7


@dataclass(frozen=True, slots=True)
class Wish:
    """A message to be published: when (seconds from the start of the load), under which id, to which partition."""

    at: float
    message_id: str
    partition: int
    message: Command


def articles(partitions: int) -> list[list[str]]:
    """Names of SKUs by their partition."""
    return [
        [_named(f"article-{partition}-{number}", partition, partitions) for number in range(ARTICLES)]
        for partition in range(partitions)
    ]


def stocked(partitions: int) -> list[Wish]:
    """More of everything than can be sold."""
    return [
        Wish(0.0, f"restock-{sku}", partition, Restock(sku=sku, quantity=_STOCK))
        for partition, shelf in enumerate(articles(partitions))
        for sku in shelf
    ]


class Customers:
    """An endless row of orders. The same seed gives the same orders."""

    def __init__(self, partitions: int, seed: int) -> None:
        """Nobody has ordered yet."""
        self._partitions = partitions
        self._chance = random.Random(seed)  # noqa: S311 - a load must be repeatable
        self._shelves = articles(partitions)
        self._count = 0
        self._round: list[int] = []

    def order(self, at: float, row: str, among: Sequence[int] | None = None) -> tuple[Wish, Wish]:
        """The next order and its payment. Its id begins with the row of the report that it belongs to."""
        self._count += 1
        partition = self._next() if among is None else among[self._count % len(among)]
        order_id = _named(f"{row}-{self._count}", partition, self._partitions)
        line = Line(sku=self._chance.choice(self._shelves[partition]), quantity=1, price=_PRICE)
        reference = f"pay-{order_id}"
        return (
            Wish(at, f"place-{order_id}", partition, Place(order_id=order_id, lines=(line,))),
            Wish(at + PAID_AFTER, reference, partition, Capture(order_id=order_id, reference=reference, amount=_PRICE)),
        )

    def _next(self) -> int:
        """Each partition once, in an order of this round's own."""
        if not self._round:
            self._round = list(range(self._partitions))
            self._chance.shuffle(self._round)
        return self._round.pop()


def row_of(text: str, rows: Sequence[str]) -> str | None:
    """The row that an order, or a text that names one, belongs to; None if to none or to several."""
    found = {row for row in rows if f"{row}-" in text}
    return found.pop() if len(found) == 1 else None


def _named(stem: str, partition: int, partitions: int) -> str:
    return next(name for name in _names(stem) if partition_of(name, partitions) == partition)


def _names(stem: str) -> Iterator[str]:
    number = 0
    while True:
        yield f"{stem}.{number}"
        number += 1
