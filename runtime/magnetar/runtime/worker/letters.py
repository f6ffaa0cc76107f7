"""Retry-topic messages and dead letters: the original, with what happened to it in readable properties (DESIGN §7).

A letter tells every standard tool what the store's rows say; it decides nothing (R23).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime import envelope as wire
from magnetar.runtime.instant import Instant, to_iso
from magnetar.runtime.worker.failing import name_of, text_of
from magnetar.runtime.worker.posting import MESSAGE_LIMIT

if TYPE_CHECKING:
    from magnetar.runtime.worker.arrival import Arrival


def letter(
    arrival: Arrival, sender: str, error: Exception, ledgers: tuple[int, int], due: Instant | None
) -> dict[str, str]:
    """The properties of a letter about a message; `ledgers`: how often it failed, last with `error`, and crashed."""
    failures, crashes = ledgers
    envelope = arrival.envelope
    properties = {
        **arrival.properties,
        wire.MESSAGE_ID: envelope.message_id,
        wire.TYPE: envelope.type,
        wire.SCHEMA: arrival.schema,
        wire.CORRELATION_ID: envelope.correlation_id,
        wire.CAUSATION_ID: envelope.causation_id,
        wire.OCCURRED_AT: to_iso(envelope.occurred),
        wire.SENDER: sender,
        wire.ATTEMPT: str(failures),
        wire.ERROR: name_of(error),
        wire.ERROR_TEXT: text_of(error),
        wire.ORIGIN: envelope.source,
        wire.ORIGIN_POSITION: arrival.at,
        wire.PUBLISHED_AT: to_iso(arrival.published_at),
    }
    if crashes:
        properties[wire.CRASHES] = str(crashes)
    if due is not None:
        properties[wire.DUE] = to_iso(due)
    return properties


def body_of(arrival: Arrival, properties: dict[str, str]) -> bytes:
    """The original bytes; none where they and what is told of them are more than one message holds.

    The store keeps them in any case, so the letter says that they are missing rather than being none.
    """
    told = sum(len(name) + 6 * len(text) for name, text in properties.items())
    if len(arrival.body) + told <= MESSAGE_LIMIT:
        return arrival.body
    properties[wire.BODY_OMITTED] = str(len(arrival.body))
    return b""
