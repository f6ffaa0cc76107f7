"""The one exception that travels inside this package: where and what, before it is known to whom it happened."""

from __future__ import annotations

import re
from typing import Final

MSGSPEC: Final = re.compile(r"(?P<reason>.*) - at (`key` in )?`(?P<path>\$[^`]*)`", re.DOTALL)
"""How msgspec ends a message about a part of a value."""


class Malformed(Exception):
    """Something at a path is wrong; the codec makes a DecodeFailed or EncodeFailed of it, which say to whom."""

    def __init__(self, path: str, reason: str) -> None:
        """Name the place (``$`` is the whole value) and what is wrong there."""
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")

    @classmethod
    def again(cls, found: Malformed) -> Malformed:
        """Return one that was kept, to be raised once more."""
        return type(found)(found.path, found.reason)

    @classmethod
    def of(cls, error: Exception) -> Malformed:
        """Return another library's error as one of ours, with its path where it tells one."""
        found = MSGSPEC.fullmatch(str(error))
        if found is None:
            return cls("$", str(error) or type(error).__name__)
        return cls(found["path"], found["reason"])


class Ahead(Malformed):
    """What was written is of a later version of the contract than this code has: newer code can read it."""
