"""How the journal is cut into partitions: ranges of message ids that follow the calendar, end to end.

A message id begins with 48 bits of milliseconds (UUIDv7), so an instant is the lowest id of its millisecond.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from magnetar.runtime.instant import SECOND, Instant

_MILLISECOND: Instant = 1000
_BITS_AFTER_TIME = 80
_TIMES = range(1 << 48)
_DECEMBER = 12


class Period(StrEnum):
    """How long a partition is."""

    WEEK = "week"
    MONTH = "month"


class Range(NamedTuple):
    """A partition: its table, and its ids from `lower` on and below `upper`."""

    table: str
    lower: UUID
    upper: UUID


def lowest_id(at: Instant) -> UUID:
    """The lowest id of an instant's millisecond."""
    return UUID(int=min(max(at // _MILLISECOND, 0), _TIMES[-1]) << _BITS_AFTER_TIME)


def instant_of(identity: UUID) -> Instant:
    """The instant at which an id begins."""
    return (identity.int >> _BITS_AFTER_TIME) * _MILLISECOND


def start_of(period: Period, at: Instant) -> Instant:
    """When the period began in which the instant lies (UTC; weeks begin on Monday)."""
    day = _day(at)
    first = day.replace(day=1) if period is Period.MONTH else day - timedelta(days=day.weekday())
    return _instant(first)


def end_of(period: Period, at: Instant) -> Instant:
    """When the period ends in which the instant lies: the next one's start."""
    first = _day(start_of(period, at))
    if period is Period.WEEK:
        return _instant(first + timedelta(days=7))
    year, month = (first.year + 1, 1) if first.month == _DECEMBER else (first.year, first.month + 1)
    return _instant(first.replace(year=year, month=month))


def ranges(period: Period, after: Instant | None, now: Instant, until: Instant) -> list[Range]:
    """The partitions to add so that every id from now to `until` has one, where the last one there ends at `after`."""
    start = start_of(period, now) if after is None else max(after, start_of(period, now))
    found: list[Range] = []
    while start < until:
        end = end_of(period, start)
        found.append(Range(f"journal_{_day(start):%Y%m%d}", lowest_id(start), lowest_id(end)))
        start = end
    return found


def _day(at: Instant) -> datetime:
    return datetime.fromtimestamp(at // SECOND, UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _instant(day: datetime) -> Instant:
    return int(day.timestamp()) * SECOND
