"""What the logical types mean, beyond the integers and texts that they are written as."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

from magnetar.schemas.jsonable import days, micros

UUID_TEXT: Final = re.compile(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

FIRST_MICRO: Final = micros(datetime.min.replace(tzinfo=UTC))
LAST_MICRO: Final = micros(datetime.max.replace(tzinfo=UTC))
FIRST_DAY: Final = days(date.min)
LAST_DAY: Final = days(date.max)


def in_range(kind: str, logical: str, number: int) -> bool:
    """Return whether an integer is an instant or a day that Python has."""
    match kind, logical:
        case "long", "timestamp-micros":
            return FIRST_MICRO <= number <= LAST_MICRO
        case "long", "timestamp-millis":
            return FIRST_MICRO <= number * 1000 <= LAST_MICRO
        case "int", "date":
            return FIRST_DAY <= number <= LAST_DAY
        case _:
            return True
