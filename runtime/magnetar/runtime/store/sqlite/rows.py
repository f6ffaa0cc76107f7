"""Rows as SQLite has them, made into the port's: it knows no truth values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magnetar.runtime.store.port import Member, ShardRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.bus.port import Position


def shard_row(row: tuple[Any, ...], positions: Mapping[str, Position]) -> ShardRow:
    """Of the columns in the order of `ShardRow`."""
    found = ShardRow._make((*row, positions))
    return found._replace(clean=bool(found.clean))


def member_of(row: tuple[Any, ...]) -> Member:
    """Of the columns in the order of `Member`."""
    found = Member._make(row)
    return found._replace(leaving=bool(found.leaving))
