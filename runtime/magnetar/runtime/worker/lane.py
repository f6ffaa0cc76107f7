"""A shard's outbox in order: which rows wait, which are confirmed, up to where all are (R18 to R20)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.store.port import OutboxRow


@dataclass(slots=True)
class Lane:
    """`settled`: every row up to this number has its receipt. `deleted`: rows up to here are gone from the store.

    `loaded` is the highest number in memory; while `partial`, the store holds more rows above it (R20).
    """

    settled: int
    loaded: int
    bound: int
    partial: bool = False
    deleted: int = 0
    waiting: deque[OutboxRow] = field(default_factory=deque)
    confirmed: set[int] = field(default_factory=set)

    def extend(self, rows: Iterable[OutboxRow]) -> None:
        """Take in committed rows, ascending."""
        for row in rows:
            self.waiting.append(row)
            self.loaded = row.number

    def confirm(self, number: int) -> None:
        """The row has its receipt. Rows settle by contiguous prefix (R19)."""
        if number == self.settled + 1 and not self.confirmed:  # nearly always: no set is touched
            self.settled = number
            return
        self.confirmed.add(number)
        while self.settled + 1 in self.confirmed:
            self.settled += 1
            self.confirmed.remove(self.settled)

    @property
    def unsettled(self) -> int:
        """How many rows in memory have no receipt yet, or one above a gap."""
        return self.loaded - self.settled

    @property
    def full(self) -> bool:
        """Above the bound, or rows not all in memory: the shard stops receiving (R20)."""
        return self.partial or self.unsettled >= self.bound

    @property
    def deletable(self) -> tuple[int, int] | None:
        """The range (from, to] of settled rows still in the store."""
        return (self.deleted, self.settled) if self.settled > self.deleted else None
