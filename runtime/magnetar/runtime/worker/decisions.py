"""What a handler decided → rows: messages for the lane, timers, rows of the application's own. Pure.

Everything that could be refused later is looked at here, before the commit (R9): a failure is the message's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime import envelope as wire
from magnetar.runtime.errors import MisuseError
from magnetar.runtime.identity import derive, to_text
from magnetar.runtime.instant import to_iso
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import AppRow, TimerRow
from magnetar.runtime.wiring import checked_key
from magnetar.runtime.worker.arrival import REHOMED
from magnetar.schemas import contract_name

if TYPE_CHECKING:
    from magnetar.runtime.context import Armed, Context, Sent
    from magnetar.runtime.row import Row
    from magnetar.runtime.store.port import ShardName
    from magnetar.runtime.wiring import ActorPlan
    from magnetar.runtime.worker.arrival import Arrival
    from magnetar.runtime.worker.part import Place
    from magnetar.runtime.worker.posting import Posting
    from magnetar.schemas import Message

Told = dict[str, str]
"""One thing that a message gave rise to, as the journal keeps it."""


class Decisions:
    """Turns contexts into rows, for one shard's part of a group."""

    def __init__(self, shard: ShardName, plan: ActorPlan, place: Place, posting: Posting) -> None:
        """`posting` is where messages go."""
        self._shard = shard
        self._plan = plan
        self._place = place
        self._posting = posting

    def sent(self, arrival: Arrival, context: Context, iso: str) -> list[Told]:
        """Post what was sent and published; `iso` is the message's instant. Raises `MisuseError`, `EncodeFailed`."""
        return [self._sent(arrival, decided, iso) for decided in context.sent]

    def timers(self, arrival: Arrival, context: Context) -> dict[str, TimerRow | None]:
        """By name what became of the key's timers; None: cancelled. Raises `MisuseError`, `EncodeFailed`."""
        made: dict[str, TimerRow | None] = dict.fromkeys(context.cancelled)
        for armed in context.armed.values():
            made[armed.name] = self._armed(arrival, armed)
        return made

    def rows(self, arrival: Arrival, context: Context) -> list[AppRow]:
        """The application's own rows. Raises `MisuseError`."""
        return [self._row(arrival, ordinal, row) for ordinal, row in enumerate(context.rows)]

    def rehomed(self, arrival: Arrival, message: Message) -> Told:
        """R31: the message again, for the partition of its key, once."""
        own = self._plan.sources[0]
        envelope = arrival.envelope
        properties = {
            wire.MESSAGE_ID: to_text(derive(arrival.message_id, 0)),
            wire.TYPE: envelope.type,
            wire.SCHEMA: own.codec.schema.fingerprint,
            wire.CORRELATION_ID: envelope.correlation_id,
            wire.CAUSATION_ID: envelope.message_id,
            wire.OCCURRED_AT: to_iso(envelope.occurred),
            wire.SENDER: self._shard,
            REHOMED: "1",
        }
        if arrival.asks:
            properties[wire.ASKS] = "1"
        partition = partition_of(arrival.key, self._place.partitions[own.name])
        self._posting.post(own.name, partition, arrival.key, own.codec.encode(message), properties)
        return {"type": envelope.type, "id": properties[wire.MESSAGE_ID], "to": own.name, "key": arrival.key}

    def _sent(self, arrival: Arrival, decided: Sent, iso: str) -> Told:
        message = decided.message
        topic = self._place.wiring.destination(self._plan, message)
        kind, getter = topic.kinds[type(message)]
        key = arrival.key if getter is None else checked_key(getter(message), kind)
        text = to_text(decided.message_id)
        properties = {
            wire.MESSAGE_ID: text,
            wire.TYPE: kind,
            wire.SCHEMA: topic.codec.schema.fingerprint,
            wire.CORRELATION_ID: arrival.envelope.correlation_id,
            wire.CAUSATION_ID: arrival.envelope.message_id,
            wire.OCCURRED_AT: iso,
            wire.SENDER: self._shard,
        }
        if arrival.envelope.traceparent is not None:
            properties[wire.TRACEPARENT] = arrival.envelope.traceparent
        partition = partition_of(key, self._place.partitions[topic.name])
        self._posting.post(topic.name, partition, key, topic.codec.encode(message), properties)
        return {"type": kind, "id": text, "to": topic.name, "key": key}

    def _armed(self, arrival: Arrival, armed: Armed) -> TimerRow:
        kind = contract_name(type(armed.timer))
        codec = self._plan.timers.get(kind)
        if codec is None:
            message = f"actor {self._plan.name!r} has no handler for timer {type(armed.timer).__name__}"
            raise MisuseError(message)
        return TimerRow(
            self._plan.name, arrival.key, armed.name, self._shard, armed.message_id, armed.due,
            kind, codec.schema.fingerprint, codec.encode(armed.timer),
            arrival.envelope.correlation_id, arrival.envelope.message_id,
        )  # fmt: skip

    def _row(self, arrival: Arrival, ordinal: int, row: Row) -> AppRow:
        plan = self._plan.rows.get(type(row))
        if plan is None:
            message = f"actor {self._plan.name!r} may not record {type(row).__name__}: add it to its rows=[…]"
            raise MisuseError(message)
        return AppRow(plan.table.name, self._shard, arrival.message_id, ordinal, plan.values(row))


def told_of(context: Context, timers: dict[str, TimerRow | None]) -> list[Told]:
    """What the timeline says of a message's timers: cancelled ones first, as they go first."""
    gone = [{"cancelled": name} for name in context.cancelled]
    return gone + [{"timer": name, "due": to_iso(timer.due)} for name, timer in timers.items() if timer is not None]
