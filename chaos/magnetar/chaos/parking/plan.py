"""Which orders come when, and what becomes of them. Pure: the same seed gives the same orders.

An order is a desk with three notes. Of one that fails it is the second that does, so that one is handled before it and
one waits behind it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from magnetar.chaos.simulation.clerks import ALWAYS, ATTEMPTS, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTES = 3
APART = 0.3
"""Seconds between two notes of an order."""


class Lot(StrEnum):
    """What is to become of an order."""

    HEALTHY = "healthy"
    FLAKY = "flaky"  # fails a few times first
    POISON = "poison"  # fails whenever it is tried


@dataclass(frozen=True, slots=True)
class Sizes:
    """`orders` in all come in `windows` of `seconds` each; every other window, from the second on, has failures.

    `poison` and `flaky` are shares of all orders.
    """

    orders: int = 10_000
    windows: int = 20
    seconds: float = 20.0
    poison: float = 0.01
    flaky: float = 0.05

    @property
    def rate(self) -> float:
        """Orders a second."""
        return self.orders / (self.windows * self.seconds)

    def fails(self, window: int) -> bool:
        """Whether the window, counted from 0, has failures."""
        return window % 2 == 1


@dataclass(frozen=True, slots=True)
class Letter:
    """A note to be published: when (seconds from the start), under which id, of which order, what becomes of that."""

    at: float
    message_id: str
    window: int
    lot: Lot
    note: Note

    @property
    def message(self) -> Note:
        """What is sent."""
        return self.note


def letters(sizes: Sizes, seed: int) -> list[Letter]:
    """All of a run, by time."""
    chance = random.Random(seed)  # noqa: S311 - a load must be repeatable
    found = [letter for number in range(sizes.orders) for letter in _order(sizes, number, chance)]
    return sorted(found, key=lambda letter: letter.at)


def _order(sizes: Sizes, number: int, chance: random.Random) -> Iterator[Letter]:
    at = number / sizes.rate
    window = min(sizes.windows - 1, int(at / sizes.seconds))
    lot = _lot(sizes, window, chance)
    fails = {Lot.POISON: ALWAYS, Lot.FLAKY: chance.randrange(1, ATTEMPTS)}.get(lot, 0)
    for turn in range(NOTES):
        note = Note(
            desk=f"{lot}-{number}", word=f"word {turn}", fails=fails if turn == 1 else 0, echoes=turn == NOTES - 1
        )
        yield Letter(at + turn * APART, f"note-{number}-{turn}", window, lot, note)


def _lot(sizes: Sizes, window: int, chance: random.Random) -> Lot:
    """Half of the windows have all the failures."""
    drawn = chance.random()
    if not sizes.fails(window):
        return Lot.HEALTHY
    share = sizes.windows / (sizes.windows // 2)
    if drawn < share * sizes.poison:
        return Lot.POISON
    return Lot.FLAKY if drawn < share * (sizes.poison + sizes.flaky) else Lot.HEALTHY
