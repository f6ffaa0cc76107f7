"""Ids, instants and durations as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))
_TAIL = 8


def clock(moment: datetime) -> str:
    """`2026-01-31 12:00:00.123`, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def span(duration: timedelta) -> str:
    """About how long: `12 ms`, `3.4 s`, `29 min`, `5 h`, `3 d`; the sign is left to the words around it."""
    seconds = abs(duration.total_seconds())
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms"


def from_now(moment: datetime, now: datetime) -> str:
    """`in 29 min`, or `3 s ago`."""
    return f"in {span(moment - now)}" if moment > now else f"{span(now - moment)} ago"


def short(message_id: str) -> str:
    """The end of an id: ids that belong together begin alike."""
    return f"…{message_id[-_TAIL:]}"


def simple(type_: str) -> str:
    """The last part of a contract's name."""
    return type_.rpartition(".")[2]


def counted(number: int, thing: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
