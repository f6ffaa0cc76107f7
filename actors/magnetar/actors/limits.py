"""What the shop accepts from outside. Whatever is beyond is refused with an outcome that says so, and never raises."""

from __future__ import annotations

import re
from typing import Final

from magnetar.runtime.wiring import KEY_LIMIT

MOST_LINES: Final = 100
MOST_UNITS: Final = 10_000
"""Units in one line of an order."""
MOST_MONEY: Final = 10**12
"""Minor units of one price, total or capture."""
MOST_RESTOCKED: Final = 10**9
"""Units in one delivery."""
MOST_STOCK: Final = 10**15
"""Units of one SKU that ever came in: far below 64 bits."""
SKU_LIMIT: Final = 100
"""Longest SKU in characters."""
REFERENCE_LIMIT: Final = 128
"""Longest reference of a capture in characters."""
MOST_CAPTURES: Final = 100
"""Captures remembered for one order. One that comes after them is sent back at once and not remembered."""
MOST_HOLDS: Final = 4_096
"""Live reservations of one SKU."""

_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)


def is_name(text: str, limit: int = KEY_LIMIT) -> bool:
    """Whether a text can name something: 1 to `limit` printable characters."""
    return 0 < len(text) <= limit and text.isprintable()


def is_currency(text: str) -> bool:
    """Whether a text has the form of an ISO 4217 code."""
    return _CURRENCY.fullmatch(text) is not None
