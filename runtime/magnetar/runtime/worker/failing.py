"""What becomes of a message whose handler raised: error, policy and ledger → decision. Pure.

    tried again at once → parked, tried again later (tier by tier) → a dead letter

The ledger is the store's (R24): the broker's own counts of redelivery are lost when it restarts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from traceback import walk_tb
from typing import TYPE_CHECKING

from magnetar.runtime.envelope import plain
from magnetar.runtime.errors import MagnetarError, PermanentError, TemporaryError
from magnetar.runtime.instant import Instant, micros

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.policy import Retry
    from magnetar.runtime.wiring import Tier

TEXT_LIMIT = 2000
"""Characters of an error's text that are kept: it stands in rows, properties and on screens."""

_FRAMES = 3
_NUMBERED = re.compile(r"[\w.:+-]*\d[\w.:+-]*")
"""A word with a digit in it: a number, an id, a key, an instant, an address."""


class Unread(MagnetarError):
    """A whole message without a reader or handler in this code: newer code may have one, so it waits (R30)."""


class Crowded(MagnetarError):
    """A dependency's queue is full: who asks for one more effect waits until there is room (R29)."""

    def __init__(self, dependency: str, text: str) -> None:
        """`text` says how many wait, and where."""
        super().__init__(text)
        self.dependency = dependency


@dataclass(frozen=True, slots=True)
class Again:
    """Tried again at once, in the same group."""


@dataclass(frozen=True, slots=True)
class Later:
    """Parked, and tried again when it is `due`; its bell goes to the tier's topic."""

    due: Instant
    tier: Tier


@dataclass(frozen=True, slots=True)
class Never:
    """A dead letter."""


Decision = Again | Later | Never


def decide(
    error: Exception, failures: int, retry: Retry, tiers: Sequence[Tier], message_id: bytes, now: Instant
) -> Decision:
    """After `failures` failures in all, the last of them with `error`. Any error but `PermanentError` may pass."""
    if isinstance(error, PermanentError) or failures >= retry.attempts:
        return Never()
    asked = error.delay if isinstance(error, TemporaryError) else None
    if asked is None and failures < retry.immediate:
        return Again()
    if asked is not None:
        tier = next((tier for tier in tiers if tier.delay >= asked), tiers[-1])
        return Later(now + micros(asked), tier)
    tier = tiers[min(max(0, failures - retry.immediate), len(tiers) - 1)]
    return Later(now + micros(tier.delay * (1 + retry.jitter * _chance(message_id, failures))), tier)


def decide_crash(crashes: int, retry: Retry, tiers: Sequence[Tier], message_id: bytes, now: Instant) -> Decision:
    """After so many crashes, as after so many failures: the first is no proof, somebody may have ended the worker."""
    if crashes >= retry.crashes:
        return Never()
    if crashes < retry.immediate:
        return Again()
    tier = tiers[min(crashes - retry.immediate, len(tiers) - 1)]
    return Later(now + micros(tier.delay * (1 + retry.jitter * _chance(message_id, crashes))), tier)


def _chance(message_id: bytes, failures: int) -> float:
    """From 0 to 1, the same whenever this message is handled again (R5), and another for each of its attempts."""
    digest = blake2b(message_id, digest_size=4, salt=failures.to_bytes(8, "big")).digest()
    return int.from_bytes(digest, "big") / 0xFFFFFFFF


def text_of(error: BaseException) -> str:
    """What the error says, in one bounded piece that can stand in a property: printable, no line breaks."""
    text = plain(" ".join(str(error).split()))
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "\N{HORIZONTAL ELLIPSIS}"


def name_of(error: BaseException) -> str:
    """The error's class as one writes it: without its module where that is Python's own."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def fingerprint_of(error: BaseException, actor: str, type_: str, key: str = "") -> str:
    """What has the same cause has the same fingerprint, whatever numbers and ids, or its own key, its text names.

    Over actor, message type, the error's class, its text without these, and the functions in which it was raised,
    innermost last.
    """
    names = [frame.f_code.co_name for frame, _ in walk_tb(error.__traceback__)]  # and no look at any source file
    text = text_of(error)
    if key:
        text = re.sub(rf"(?<!\w){re.escape(key)}(?!\w)", "#", text)
    text = _NUMBERED.sub("#", text)
    parts = [actor, type_, name_of(error), text, *names[-_FRAMES:]]
    return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
