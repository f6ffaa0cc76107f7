"""Message ids: 16 bytes in UUIDv7's layout, minted once or derived from the causing message (R5).

A derived id keeps its cause's millisecond, so that journal rows of one story lie together, and takes the other
bits from a hash of (cause, ordinal): handling the same message again gives the same ids.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.instant import Instant

_VERSION_7 = 0x70
_VERSION_8 = 0x80
_VARIANT = 0x80
ID_BYTES = 16
_TEXT = 36


def _shaped(millisecond: bytes, rest: bytes) -> bytes:
    """UUIDv7 (RFC 9562, 5.7) of 6 bytes of time and 10 bytes of noise."""
    return millisecond + bytes((_VERSION_7 | (rest[0] & 0x0F), rest[1], _VARIANT | (rest[2] & 0x3F))) + rest[3:10]


def mint(now: Instant, noise: Callable[[int], bytes]) -> bytes:
    """A new id at `now` (microseconds) with `noise(10)` as its randomness."""
    return _shaped((now // 1000).to_bytes(6, "big"), noise(10))


def derive(cause: bytes, ordinal: int) -> bytes:
    """The id of the `ordinal`-th thing that the message `cause` gives rise to."""
    return _shaped(cause[:6], blake2b(cause + ordinal.to_bytes(4, "big"), digest_size=10).digest())


def foreign(text: str) -> bytes:
    """The id of a message that its publisher calls `text`, no UUID: equal texts are one message (UUIDv8's layout)."""
    digest = bytearray(blake2b(text.encode(), digest_size=ID_BYTES, person=b"foreign").digest())
    digest[6] = _VERSION_8 | (digest[6] & 0x0F)
    digest[8] = _VARIANT | (digest[8] & 0x3F)
    return bytes(digest)


def to_text(message_id: bytes) -> str:
    """Canonical text of an id, as on the wire and on screens."""
    digits = message_id.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def from_text(text: str) -> bytes:
    """The 16 bytes of a UUID's text; `ValueError` when it is none.

    Canonical text, which is all that Magnetar writes, is read without making a `UUID` (1.7 µs → 0.5 µs, per message).
    """
    digits = text.replace("-", "")
    if len(text) == _TEXT and len(digits) == 2 * ID_BYTES and digits.isalnum():
        return bytes.fromhex(digits)
    return UUID(text).bytes


def id_of(text: str) -> bytes:
    """The 16 bytes under which a message is known whose publisher calls it `text`: a UUID's own, else `foreign`."""
    try:
        return from_text(text)
    except ValueError:
        return foreign(text)
