"""Rows as SQLite has them, made into the port's: it knows no truth values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magnetar.runtime.store.care import Caution, Hand
from magnetar.runtime.store.port import ShardRow
from magnetar.runtime.store.roster import Member

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from magnetar.runtime.bus.port import Position


def shard_row(
    row: tuple[Any, ...], positions: Mapping[str, Position], hands: Iterable[tuple[Any, ...]] = ()
) -> ShardRow:
    """Of the columns in the order of `ShardRow`, its caution at the end; of hands, in that of `Hand`."""
    found = ShardRow._make((*row[:-1], positions, Caution(row[-1]), tuple(map(Hand._make, hands))))
    return found._replace(clean=bool(found.clean))


def member_of(row: tuple[Any, ...]) -> Member:
    """Of the columns in the order of `Member`."""
    found = Member._make(row)
    return found._replace(leaving=bool(found.leaving))
