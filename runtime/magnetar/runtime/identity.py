"""Message ids: 16 bytes in UUIDv7's layout, minted once or derived from the causing message (R5).

A derived id keeps its cause's millisecond, so that journal rows of one story lie together, and takes the other
bits from a hash of (cause, ordinal): handling the same message again gives the same ids.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.instant import Instant

_SHAPE = 0x7000_8000_0000_0000_0000  # version 7 and the variant, in the last ten bytes of an id
_RANDOM = 0x0FFF_3FFF_FFFF_FFFF_FFFF  # the bits beside them
_VERSION_8 = 0x80
_VARIANT = 0x80
ID_BYTES = 16
_is_canonical = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


def _shaped(millisecond: bytes, noise: bytes) -> bytes:
    """UUIDv7 (RFC 9562, 5.7) of 6 bytes of time and 10 bytes of noise."""
    return millisecond + ((int.from_bytes(noise) & _RANDOM) | _SHAPE).to_bytes(10)


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


def named(text: str) -> tuple[bytes, str]:
    """The 16 bytes under which a message is known whose publisher calls it `text`, and their canonical text.

    A UUID's are its own, any other text's are `foreign`. Canonical text, which is all that Magnetar writes, is
    recognised and not made anew (1.2 µs → 0.5 µs, per message).
    """
    if _is_canonical(text):
        return bytes.fromhex(text.replace("-", "")), text
    try:
        message_id = UUID(text).bytes
    except ValueError:
        message_id = foreign(text)
    return message_id, to_text(message_id)


def id_of(text: str) -> bytes:
    """The first half of `named`."""
    return named(text)[0]
