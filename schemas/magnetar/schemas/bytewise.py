"""The smallest parts of Avro's binary form, read from hostile bytes and written: variable-length integers."""

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


def write_long(number: int) -> bytes:
    """Return a zig-zag long; ValueError beyond 64 bits."""
    raw = number << 1 if number >= 0 else ~(number << 1)
    if raw >= LONG_LIMIT:
        message = f"{number} has more than 64 bits"
        raise ValueError(message)
    written = bytearray()
    while raw >= 128:  # noqa: PLR2004 - the high bit says that more bytes follow
        written.append(raw & 127 | 128)
        raw >>= 7
    written.append(raw)
    return bytes(written)
