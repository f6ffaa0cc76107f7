"""Reading the smallest parts of Avro's binary form from hostile bytes: variable-length integers."""

from __future__ import annotations

from typing import Final

LONG_LIMIT: Final = 1 << 64
LONGEST_VARINT: Final = 10
INT_LIMIT: Final = 1 << 32


class BadBytes(ValueError):
    """Bytes that no Avro writer makes."""


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """Return a zig-zag long and the position after it; IndexError where the bytes end, BadBytes beyond 64 bits."""
    byte = data[at]
    if byte < 128:  # noqa: PLR2004 - the high bit says that more bytes follow
        return (byte >> 1) ^ -(byte & 1), at + 1
    raw, shift, start = byte & 127, 7, at
    while byte & 128:
        at += 1
        byte = data[at]
        raw |= (byte & 127) << shift
        shift += 7
        if at - start >= LONGEST_VARINT:
            message = f"an integer goes on for more than {LONGEST_VARINT} bytes"
            raise BadBytes(message)
    if raw >= LONG_LIMIT:
        message = "an integer has more than 64 bits"
        raise BadBytes(message)
    return (raw >> 1) ^ -(raw & 1), at + 1
