"""The one exception that travels inside this package: where and what, before it is known to whom it happened."""

from __future__ import annotations


class Malformed(Exception):  # noqa: N818 - never leaves the package; becomes DecodeFailed or EncodeFailed
    """Something at a path is wrong; the codec adds the message it happened to."""

    def __init__(self, path: str, reason: str) -> None:
        """Name the place (``$`` is the whole value) and what is wrong there."""
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")
