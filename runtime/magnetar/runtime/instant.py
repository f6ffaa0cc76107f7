"""Time as the engine holds it: whole microseconds since 1970-01-01 UTC.

Integers compare, add and store exactly, and they are what Avro's `timestamp-micros` carries. Durations in
settings and in the user's API are seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Instant: TypeAlias = int
"""Microseconds since the epoch, UTC."""

SECOND: Instant = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(seconds: float) -> Instant:
    """A duration in seconds as whole microseconds."""
    return round(seconds * SECOND)


def seconds(duration: Instant) -> float:
    """A duration in microseconds as seconds."""
    return duration / SECOND


def to_datetime(instant: Instant) -> datetime:
    """The aware UTC `datetime` of an instant, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=instant)


def from_datetime(moment: datetime) -> Instant:
    """The instant of an aware `datetime`; a naive one is a `ValueError`, for it names no instant."""
    if moment.tzinfo is None:
        message = f"{moment!r} has no time zone: use an aware datetime, e.g. datetime.now(UTC)"
        raise ValueError(message)
    return (moment - _EPOCH) // _MICROSECOND


def to_iso(instant: Instant) -> str:
    """ISO 8601 with microseconds and offset, as on the wire."""
    return to_datetime(instant).isoformat(timespec="microseconds")


def from_iso(text: str) -> Instant:
    """The inverse of `to_iso`; `ValueError` for other text, or text without an offset."""
    return from_datetime(datetime.fromisoformat(text))
