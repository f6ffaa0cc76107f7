"""A message's metadata: on the wire it is the message's properties, so that every standard tool can read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.instant import Instant, to_datetime

if TYPE_CHECKING:
    from datetime import datetime

MESSAGE_ID = "message_id"
TYPE = "type"
SCHEMA = "schema"
CORRELATION_ID = "correlation_id"
CAUSATION_ID = "causation_id"
OCCURRED_AT = "occurred_at"
TRACEPARENT = "traceparent"
ATTEMPT = "attempt"
ASKS = "asks"
SENDER = "sender"

ERROR = "error"
"""Of a message that failed: the error's class."""
ERROR_TEXT = "error_text"
"""What it said, bounded."""
CRASHES = "crashes"
"""How often it took a worker with it, where it ever did."""
DUE = "due"
"""On a retry topic: when it is tried again at the earliest, RFC 3339 in UTC."""
ORIGIN = "origin"
"""Where it came from: `topic/partition`."""
ORIGIN_POSITION = "origin_position"
"""The broker's position there."""
PUBLISHED_AT = "published_at"
"""When it was published there, RFC 3339 in UTC."""
BODY_OMITTED = "body_omitted"
"""How many bytes it has that were left out, because they and these properties are more than one message holds."""


def plain(text: str) -> str:
    """What somebody else has written, as every database and screen can hold it: no NUL, no half surrogate pair."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What is known of a message besides its content. Ids are canonical UUID text.

    `correlation_id` names the story that the message belongs to, `causation_id` the message that gave rise to it
    ('' for a first one). `source` is `topic/partition`, `timer`, or `local`.
    """

    message_id: str
    key: str
    type: str
    schema: str
    correlation_id: str
    causation_id: str
    occurred: Instant
    traceparent: str | None
    attempt: int
    source: str

    @property
    def occurred_at(self) -> datetime:
        """When its publisher says it happened, aware UTC; a timer's is its due time."""
        return to_datetime(self.occurred)
