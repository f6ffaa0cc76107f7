"""Numbers as people read them: rounded to what matters, always with their unit, never rounded to a better one."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from magnetar.runtime.instant import to_datetime

if TYPE_CHECKING:
    from magnetar.runtime.instant import Instant

NONE = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_MINUTE, _HOUR = 60, 3600
_TENTH_OF_A_PERCENT, _WHOLE = 0.001, 1.0
_LATEST = 253402300799_000_000
"""The last microsecond but some of the year 9999."""


def seconds(value: float | None) -> str:
    """A duration: `84 ms`, `4.21 s`, `12.3 s`, `2 min 5 s`."""
    if value is None or not isfinite(value):
        return NONE
    if value < 0:
        return f"{_MINUS}{seconds(-value)}"
    if value < 0.9995:  # noqa: PLR2004 - what would be 1000 ms is a second
        return f"{round(value * 1000, 1 if value < 0.01 else None):g} ms"  # noqa: PLR2004
    if value < 99.95:  # noqa: PLR2004 - what would be 100.0 is long
        return f"{value:.2f} s" if value < 9.995 else f"{value:.1f} s"  # noqa: PLR2004
    whole = round(value)
    if whole >= _HOUR:
        return f"{whole // _HOUR:,} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _MINUTE} min {whole % _MINUTE} s"


def chosen(value: float) -> str:
    """A duration that somebody chose, or a mark of a scale: `15 s`, and not `15.0 s`."""
    return f"{value:g} s" if 1 <= value < 1000 else seconds(value)  # noqa: PLR2004 - as in `seconds`


def count(value: float) -> str:
    """A whole number: `12,345`."""
    return f"{round(value):,}" if isfinite(value) else NONE


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 message`, `12,345 messages`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def quantity(value: float) -> str:
    """Any number: whole ones as they are, others with three digits."""
    if not isfinite(value):
        return NONE
    if value == round(value) or abs(value) >= 1000:  # noqa: PLR2004 - nobody reads on
        return count(value).replace("-", _MINUS)
    return f"{value:.3g}".replace("-", _MINUS)


def rate(value: float) -> str:
    """So many a second."""
    return f"{quantity(float(f'{value:.3g}'))}/s" if isfinite(value) else NONE


def share(value: float) -> str:
    """A part of a whole, 0 to 1: only all is `100 %`, and only nothing `0 %`."""
    if not isfinite(value):
        return NONE
    if value <= 0 or value >= _WHOLE:
        return f"{value * 100:.0f} %"
    if value < _TENTH_OF_A_PERCENT:
        return "under 0.1 %"
    if value > _WHOLE - _TENTH_OF_A_PERCENT:
        return "over 99.9 %"
    return f"{round(value * 100, 1):g} %"


def moment(at: float) -> str:
    """A time of the run: `41.3 s`, `2:05`."""
    if not isfinite(at):
        return NONE
    return f"{at:.1f} s" if at < 100 else f"{round(at) // 60}:{round(at) % 60:02d}"  # noqa: PLR2004


def when(at: Instant) -> str:
    """A UTC instant, to the minute."""
    return to_datetime(at).strftime("%Y-%m-%d %H:%M UTC") if 0 <= at <= _LATEST else NONE
