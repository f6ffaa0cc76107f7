"""Arrivals → one shard's part of a group.

Pure: nothing in memory changes here (R7), and the same input gives the same bytes (R5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from magnetar.runtime import envelope as wire
from magnetar.runtime.context import Context
from magnetar.runtime.errors import BrokenPromise, HandlerFailed, MisuseError
from magnetar.runtime.identity import derive, to_text
from magnetar.runtime.instant import Instant, to_iso
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import (
    AppRow,
    Disposition,
    GoneTimer,
    JournalRow,
    OutboxRow,
    ShardChanges,
    StateRow,
    StateWrite,
    TimerRow,
)
from magnetar.runtime.wiring import checked_key
from magnetar.runtime.worker.arrival import REHOMED, Arrival
from magnetar.schemas import EncodeFailed, contract_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pykka

    from magnetar.runtime.context import Sent
    from magnetar.runtime.row import Row
    from magnetar.runtime.wiring import Topic, Wiring
    from magnetar.runtime.worker.shard import Shard
    from magnetar.schemas import State

MESSAGE_LIMIT = 5 * 1024 * 1024 - 64 * 1024
"""Body and properties of one message in bytes: Pulsar's 5 MiB less room for its own metadata."""

_APPLIED = Disposition.APPLIED.value  # reading `.value` costs 0.2 µs
_to_json = msgspec.json.Encoder().encode
_to_bytes = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Place:
    """What handling must know of where it runs. `partitions` is the partition count of every topic."""

    wiring: Wiring
    partitions: Mapping[str, int]
    code: str


@dataclass(slots=True)
class Handled:
    """One shard's part of a group: what to commit, and what memory becomes once it is committed."""

    shard: Shard
    changes: ShardChanges
    states: dict[str, tuple[State, int]] = field(default_factory=dict)
    replies: list[tuple[pykka.Future[Any], State]] = field(default_factory=list)
    rehomed: int = 0
    stale: int = 0


class Handling:
    """Runs one shard's arrivals in order into a `Handled`. One object per shard and group."""

    def __init__(self, shard: Shard, place: Place, now: Instant) -> None:
        """`now` is the group's instant by the store's clock; it never falls below the shard's last (R5)."""
        self._shard = shard
        self._plan = shard.plan
        self._place = place
        self._now = max(now, shard.floor)
        self._iso = to_iso(self._now)
        self._lane = shard.lane_number
        self._timers: dict[tuple[str, str], TimerRow | None] = {}  # what this group made of a timer; None: gone
        self._fired: dict[tuple[str, str], GoneTimer] = {}
        changes = ShardChanges(shard.name, shard.epoch, shard.commits, self._lane, self._now)
        self._handled = Handled(shard, changes)

    def run(self, arrivals: Iterable[Arrival]) -> Handled:
        """Handle them all.

        Raises `HandlerFailed` for the first that cannot be; then nothing of the group is committed.
        """
        for arrival in arrivals:
            if arrival.timer is not None and not self._still_armed(arrival.timer):
                self._handled.stale += 1
            elif arrival.timer is None and not self._shard.houses(arrival.key):
                self._rehome(arrival)
            else:
                self._apply(arrival)
        return self._finish()

    def _still_armed(self, timer: TimerRow) -> bool:
        """R26: this very generation, and this group has not touched it yet."""
        return (timer.key, timer.name) not in self._timers and self._shard.timetable.is_armed(timer)

    def _apply(self, arrival: Arrival) -> None:
        if arrival.timer is not None and arrival.timer.due > self._now:
            self._pass(arrival.timer.due)
        state, version = self._current(arrival.key)
        context = Context(arrival.key, arrival.message_id, self._now, arrival.envelope)
        state = self._call(arrival, state, context)
        version += 1
        if arrival.timer is not None:
            self._fire(arrival.timer)
        try:
            sent = self._decisions(arrival, context)
            self._journal(arrival, _APPLIED, version, state, sent)
        except (EncodeFailed, MisuseError) as error:
            raise self._failed(arrival, error) from error
        self._handled.states[arrival.key] = (state, version)
        if arrival.reply is not None:
            self._handled.replies.append((arrival.reply, state))

    def _pass(self, instant: Instant) -> None:
        """A timer that fired is due: where the store's clock was put back meanwhile, time goes on from there (R5)."""
        self._now = self._handled.changes.floor = instant
        self._iso = to_iso(instant)

    def _current(self, key: str) -> tuple[State, int]:
        known = self._handled.states.get(key)
        if known is not None:
            return known
        entity = self._shard.entities.get(key)
        return (self._plan.initial, 0) if entity is None else (entity.state, entity.version)

    def _call(self, arrival: Arrival, state: State, context: Context) -> State:
        try:
            result = self._plan.handlers[type(arrival.message)](state, arrival.message, context)
        except Exception as error:
            raise self._failed(arrival, error) from error
        if type(result) is not self._plan.state:
            wrong = MisuseError(
                f"the handler returned {type(result).__name__}, not {self._plan.state.__name__}; return the new state"
            )
            raise self._failed(arrival, wrong) from wrong
        return result

    def _failed(self, arrival: Arrival, error: Exception) -> HandlerFailed:
        return HandlerFailed(self._plan.name, arrival.key, arrival.envelope.type, arrival.envelope.message_id, error)

    def _decisions(self, arrival: Arrival, context: Context) -> list[dict[str, str]]:
        """Rows for all that the handler decided; returns what the timeline tells of it."""
        told = [self._sent(arrival, decided) for decided in context.sent]
        for name in context.cancelled:
            self._timers[arrival.key, name] = None
            told.append({"cancelled": name})
        for armed in context.armed.values():
            codec = self._plan.timers.get(contract_name(type(armed.timer)))
            if codec is None:
                message = f"actor {self._plan.name!r} has no handler for timer {type(armed.timer).__name__}"
                raise MisuseError(message)
            kind = contract_name(type(armed.timer))
            self._timers[arrival.key, armed.name] = TimerRow(
                self._plan.name, arrival.key, armed.name, self._shard.name, armed.message_id, armed.due,
                kind, codec.schema.fingerprint, codec.encode(armed.timer),
                arrival.envelope.correlation_id, arrival.envelope.message_id,
            )  # fmt: skip
            told.append({"timer": armed.name, "due": to_iso(armed.due)})
        self._handled.changes.rows.extend(self._row(arrival, ordinal, row) for ordinal, row in enumerate(context.rows))
        return told

    def _fire(self, timer: TimerRow) -> None:
        place = (timer.key, timer.name)
        self._timers[place] = None
        self._fired[place] = GoneTimer(self._plan.name, timer.key, timer.name, timer.generation, must_exist=True)

    def _row(self, arrival: Arrival, ordinal: int, row: Row) -> AppRow:
        plan = self._plan.rows.get(type(row))
        if plan is None:
            message = f"actor {self._plan.name!r} may not record {type(row).__name__}: add it to its rows=[…]"
            raise MisuseError(message)
        return AppRow(plan.table.name, self._shard.name, arrival.message_id, ordinal, plan.values(row))

    def _sent(self, arrival: Arrival, decided: Sent) -> dict[str, str]:
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
            wire.OCCURRED_AT: self._iso,
            wire.SENDER: self._shard.name,
        }
        if arrival.envelope.traceparent is not None:
            properties[wire.TRACEPARENT] = arrival.envelope.traceparent
        self._enqueue(topic, key, topic.codec.encode(message), properties)
        return {"type": kind, "id": text, "to": topic.name, "key": key}

    def _enqueue(self, topic: Topic, key: str, body: bytes, properties: dict[str, str]) -> None:
        text = _to_json(properties).decode()
        if len(body) + len(text) > MESSAGE_LIMIT:
            message = (
                f"a message to {topic.name!r} for key {key!r} has {len(body)} bytes of body and "
                f"{len(text)} of properties; at most {MESSAGE_LIMIT} fit"
            )
            raise MisuseError(message)
        self._lane += 1
        partition = partition_of(key, self._place.partitions[topic.name])
        self._handled.changes.outbox.append(
            OutboxRow(self._shard.name, self._lane, topic.name, partition, key, body, text)
        )

    def _rehome(self, arrival: Arrival) -> None:
        """R31: send it on to the partition of its key, once; the journal remembers that this copy is done with."""
        own = self._plan.sources[0]
        if arrival.rehomed or own.name != self._plan.name:
            error = MisuseError(
                f"it came to partition {self._shard.partition}, where its key does not belong, on a second hop; "
                "the topic's partition count or hash differs from the declared one"
            )
            raise self._failed(arrival, error)
        properties = {
            wire.MESSAGE_ID: to_text(derive(arrival.message_id, 0)),
            wire.TYPE: arrival.envelope.type,
            wire.SCHEMA: own.codec.schema.fingerprint,
            wire.CORRELATION_ID: arrival.envelope.correlation_id,
            wire.CAUSATION_ID: arrival.envelope.message_id,
            wire.OCCURRED_AT: to_iso(arrival.envelope.occurred),
            wire.SENDER: self._shard.name,
            REHOMED: "1",
        }
        if arrival.asks:
            properties[wire.ASKS] = "1"
        self._enqueue(own, arrival.key, own.codec.encode(arrival.message), properties)
        told = [{"type": arrival.envelope.type, "id": properties[wire.MESSAGE_ID], "to": own.name, "key": arrival.key}]
        self._journal(arrival, Disposition.REHOMED.value, 0, None, told)
        self._handled.rehomed += 1

    def _journal(
        self, arrival: Arrival, disposition: str, version: int, state: State | None, told: list[dict[str, str]]
    ) -> None:
        envelope = arrival.envelope
        answers = arrival.asks and state is not None
        self._handled.changes.journal.append(
            JournalRow(
                self._plan.name, arrival.message_id, self._shard.name, arrival.key, disposition, envelope.type,
                arrival.schema, arrival.body, envelope.source, arrival.at,
                envelope.correlation_id, envelope.causation_id, envelope.occurred, arrival.published_at,
                self._now, self._place.code, version,
                b"" if state is None else state_hash(state), _to_json(told).decode() if told else "[]",
                self._plan.codec.encode(state) if answers and state is not None else None,
                self._plan.codec.schema.fingerprint if answers else None,
            )
        )  # fmt: skip

    def _finish(self) -> Handled:
        changes, plan, shard = self._handled.changes, self._plan, self._shard
        changes.lane = self._lane
        for key, (state, version) in self._handled.states.items():
            entity = shard.entities.get(key)
            body = self._encoded(key, state)
            row = StateRow(plan.name, key, shard.name, version, plan.codec.schema.fingerprint, body, self._now)
            changes.states.append(StateWrite(row, 0 if entity is None else entity.version))
        self._finish_timers()
        self._check()
        return self._handled

    def _encoded(self, key: str, state: State) -> bytes:
        """Encoded once per key and group; a state that its schema cannot hold is the failure of its last message."""
        try:
            return self._plan.codec.encode(state)
        except EncodeFailed as error:
            last = next(row for row in reversed(self._handled.changes.journal) if row.key == key)
            raise HandlerFailed(self._plan.name, key, last.type, to_text(last.message_id), error) from error

    def _finish_timers(self) -> None:
        changes = self._handled.changes
        changes.gone.extend(self._fired.values())
        for (key, name), timer in self._timers.items():
            if timer is not None:
                changes.armed.append(timer)
            elif (key, name) not in self._fired:
                changes.gone.append(GoneTimer(self._plan.name, key, name, b"", must_exist=False))

    def _check(self) -> None:
        """Asserted always: journal rows per key = version advance."""
        applied: dict[str, int] = {}
        for row in self._handled.changes.journal:
            if row.disposition == _APPLIED:
                applied[row.key] = applied.get(row.key, 0) + 1
        for write in self._handled.changes.states:
            if write.row.version - write.over != applied.get(write.row.key, 0):
                message = (
                    f"shard {self._shard.name}, key {write.row.key!r}: version {write.over} → "
                    f"{write.row.version}, but {applied.get(write.row.key, 0)} journal rows"
                )
                raise BrokenPromise(message)


def state_hash(state: State) -> bytes:
    """8 bytes over the state's fields: what replay must arrive at again (R2)."""
    return blake2b(_to_bytes(state), digest_size=8).digest()
