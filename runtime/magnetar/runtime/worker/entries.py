"""What the journal says of a message. Pure (R2, R5)."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from magnetar.runtime.store.port import JournalRow

if TYPE_CHECKING:
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName
    from magnetar.runtime.wiring import ActorPlan
    from magnetar.runtime.worker.arrival import Arrival
    from magnetar.runtime.worker.decisions import Told
    from magnetar.schemas import State

_to_json = msgspec.json.Encoder().encode
_to_bytes = msgspec.msgpack.Encoder().encode


class JournalPlace(NamedTuple):
    """Where and when a message is journalled."""

    shard: ShardName
    plan: ActorPlan
    code: str
    now: Instant


def journal_row(
    place: JournalPlace, arrival: Arrival, disposition: str, told: list[Told], version: int, state: State | None
) -> JournalRow:
    """One message, what became of it, and what it gave rise to; `state` is the one after it, if it was applied."""
    envelope = arrival.envelope
    answers = arrival.asks and state is not None
    codec = place.plan.codec
    return JournalRow(
        place.plan.name, arrival.message_id, place.shard, arrival.key, disposition, envelope.type,
        arrival.schema, arrival.body, envelope.source, arrival.at,
        envelope.correlation_id, envelope.causation_id, envelope.occurred, arrival.published_at,
        place.now, place.code, version,
        b"" if state is None else state_hash(state), _to_json(told).decode() if told else "[]",
        codec.encode(state) if answers and state is not None else None,
        codec.schema.fingerprint if answers else None,
    )  # fmt: skip


def state_hash(state: State) -> bytes:
    """8 bytes over the state's fields: what replay must arrive at again (R2)."""
    return blake2b(_to_bytes(state), digest_size=8).digest()
