"""Message properties as the headers of AsyncAPI: what is known of a message besides its content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from magnetar.runtime import envelope as wire
from magnetar.runtime.worker.arrival import REHOMED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.schemas.shapes import Json

ENVELOPE: Final = "envelope"
LETTER: Final = "letter"
STORY: Final = "story"

_INSTANT: Final[Mapping[str, Json]] = {"format": "date-time"}
_ALWAYS: Final = (wire.MESSAGE_ID, wire.TYPE, wire.SCHEMA, wire.CORRELATION_ID, wire.OCCURRED_AT, wire.SENDER)
_FAILED: Final = (wire.ATTEMPT, wire.ERROR, wire.ERROR_TEXT, wire.ORIGIN, wire.ORIGIN_POSITION, wire.PUBLISHED_AT)


def schemas() -> dict[str, Json]:
    """The headers of a message, and those that come to them when it has failed."""
    return {
        ENVELOPE: {
            "type": "object",
            "description": f"Message properties; all are texts. Magnetar sends {_listed(_ALWAYS)} with every message; "
            "a foreign producer may leave out any.",
            "properties": _envelope(),
        },
        LETTER: {
            "type": "object",
            "description": "What comes to the properties of a message that has failed.",
            "required": list(_FAILED),
            "properties": _letter(),
        },
    }


def correlation() -> dict[str, Json]:
    """Where a message says which story it belongs to."""
    where = f"$message.header#/{wire.CORRELATION_ID}"
    return {
        STORY: {"description": "The story that a message belongs to; causation_id says its cause.", "location": where}
    }


def headers_of(kind: str) -> dict[str, Json]:
    """The headers of a message of that full name: the property `type` tells the messages of a channel apart."""
    return {"allOf": [_reference(ENVELOPE), {"type": "object", "properties": {wire.TYPE: {"const": kind}}}]}


def headers_of_letters() -> dict[str, Json]:
    """The headers of messages that have failed, of whatever type."""
    return {"allOf": [_reference(ENVELOPE), _reference(LETTER)]}


def _envelope() -> dict[str, Json]:
    return {
        wire.MESSAGE_ID: _told("A UUID, or any text of a foreign producer's own; equal ids are one message."),
        wire.TYPE: _told("Full name of the message's own record: the branch of the union in body."),
        wire.SCHEMA: _told(
            "Fingerprint of the writer's schema, 32 hex digits; else the broker's schema version counts."
        ),
        wire.CORRELATION_ID: _told("Id of the message that the story began with."),
        wire.CAUSATION_ID: _told("Id of the message that gave rise to this one; missing on a first one."),
        wire.OCCURRED_AT: _told("When it happened, RFC 3339 with an offset.", _INSTANT),
        wire.TRACEPARENT: _told("W3C trace context, handed on to what follows."),
        wire.ASKS: _told("1: the state after this message is kept as its answer.", {"const": "1"}),
        wire.SENDER: _told("Who published it: a shard (actor/partition) or a client."),
        REHOMED: _told("1: it was found in another partition than its key's, and sent on once.", {"const": "1"}),
    }


def _letter() -> dict[str, Json]:
    return {
        wire.ATTEMPT: _told("How often it has failed."),
        wire.ERROR: _told("Class of the last error."),
        wire.ERROR_TEXT: _told("What that error said, bounded."),
        wire.CRASHES: _told("How often it took a worker with it, where it ever did."),
        wire.DUE: _told("On a retry topic: when it is tried again at the earliest.", _INSTANT),
        wire.ORIGIN: _told("Where it came from: topic/partition, timer, or local."),
        wire.ORIGIN_POSITION: _told("The broker's position there."),
        wire.PUBLISHED_AT: _told("When it was published there.", _INSTANT),
        wire.BODY_OMITTED: _told("So many bytes were left out, as one message cannot hold them; the store has them."),
    }


def _told(text: str, more: Mapping[str, Json] | None = None) -> Json:
    return {"type": "string", "description": text, **(more or {})}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
