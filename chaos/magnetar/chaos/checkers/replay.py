"""Replay: the user's own handlers over the journal must arrive at what the store holds (R2, R5).

Per key, in the order of versions, each row's bytes are decoded and handled again at the row's `now`. State hashes,
messages sent, timers and own rows must be those of the journal; at the end the state, the armed timers and the
tables must be the store's.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from magnetar.chaos.history import Violation
from magnetar.runtime.context import Context
from magnetar.runtime.envelope import Envelope
from magnetar.runtime.identity import derive, to_text
from magnetar.runtime.instant import Instant, to_iso
from magnetar.runtime.store.port import Disposition
from magnetar.runtime.worker.entries import state_hash
from magnetar.schemas import Kept, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.verdict import Examination
    from magnetar.runtime.context import Armed
    from magnetar.runtime.store.port import JournalRow
    from magnetar.runtime.wiring import ActorPlan
    from magnetar.schemas import Message, State
    from magnetar.schemas.codec import Codec

    _Recorded = dict[str, list[tuple[object, ...]]]

MOST_ATTEMPTS = 20
"""An effect of a run has fewer: its outcomes have ids derived from their numbers."""

_PROMISE = "replay arrives at the same state"


@dataclass(slots=True)
class _Key:
    """A key while it is replayed."""

    plan: ActorPlan
    key: str
    state: State
    failed: Counter[tuple[str, bytes]]
    schemas: Mapping[str, str]
    timers: dict[str, Armed] = field(default_factory=dict)
    outcomes: set[bytes] = field(default_factory=set)
    found: list[Violation] = field(default_factory=list)

    def blame(self, promise: str, row: JournalRow | None, what: str) -> None:
        at = f", version {row.version} ({row.type} {to_text(row.message_id)})" if row else ""
        self.found.append(Violation(promise, f"actor {self.plan.name}, key {self.key}{at}", what))


def replayed(_: History, evidence: Evidence) -> Examination:
    """Every key of every actor, and all own rows together."""
    recorded: _Recorded = {table: [] for table in evidence.rows}
    failed = Counter((row.actor, row.message_id) for row in evidence.unapplied.failures)
    for (actor, name), timeline in evidence.timelines.items():
        plan = evidence.wiring.actors[actor]
        key = _Key(plan, name, plan.initial, failed, evidence.schemas)
        if _replay(key, timeline, recorded):
            _end(key, evidence)
        yield from key.found or (None,)
    for table, rows in recorded.items():
        if sorted(rows, key=_by_id) != evidence.rows[table]:
            yield Violation(
                "own rows are written once",
                f"table {table}",
                f"{len(evidence.rows[table])} rows, replay makes {len(rows)}",
            )


def _by_id(row: tuple[object, ...]) -> tuple[object, object]:
    return row[0], row[1]


def _replay(key: _Key, timeline: list[JournalRow], recorded: _Recorded) -> bool:
    """Replay a key as far as it goes; False when a row cannot be handled again."""
    for row in timeline:
        try:
            _step(key, row, recorded)
        except Exception as error:  # noqa: BLE001 - a codec's or a handler's own, and a finding whichever it is
            key.blame("what was applied can be replayed", row, f"{type(error).__name__}: {error}")
            return False
    return True


def _step(key: _Key, row: JournalRow, recorded: _Recorded) -> None:
    message = _decoded(key, row)
    context = Context(key.key, row.message_id, row.now, _envelope(row, key.failed[row.actor, row.message_id]))
    if row.source == "timer":
        _fire(key, row)
    elif row.source == "effect" and row.message_id not in key.outcomes:
        key.blame("an outcome is of an effect that was asked", row, "no message before it has asked")
    key.state = key.plan.handlers[type(message)](key.state, message, context)
    if state_hash(key.state) != row.state_hash:
        key.blame(_PROMISE, row, f"replay makes {key.state}, whose hash is not the journal's")
    for name in context.cancelled:
        key.timers.pop(name, None)
    key.timers.update(context.armed)
    key.outcomes.update(derive(asked.effect_id, number) for asked in context.asked for number in range(MOST_ATTEMPTS))
    if _told(context) != _journalled(row):
        key.blame("replay decides the same", row, f"the journal says {row.sent}, replay {_told(context)}")
    for ordinal, own in enumerate(context.rows):
        plan = key.plan.rows[type(own)]
        recorded[plan.table.name].append((row.message_id, ordinal, *plan.values(own)))
    if row.answer is not None:
        _check_answer(key, row)


def _decoded(key: _Key, row: JournalRow) -> Message:
    """As it was written, which another release than today's may have done; `schema` says where nobody knows how."""
    codec, text = _codec(key.plan, row), key.schemas.get(row.schema)
    writer = codec.schema if text is None else Schema.parse(text)
    origin = Kept(f"journal of {key.plan.name}", to_text(row.message_id), row.schema)
    message: Message = codec.decode(row.body, writer, origin)
    return message


def _codec(plan: ActorPlan, row: JournalRow) -> Codec[Any]:
    if row.source == "timer":
        return plan.timers[row.type]
    if row.source == "effect":
        return plan.outcomes[row.type]
    topic = next((each for each in plan.sources if each.name == row.source.rpartition("/")[0]), plan.sources[0])
    return topic.codec


def _envelope(row: JournalRow, attempt: int) -> Envelope:
    text = to_text(row.message_id)
    return Envelope(
        text,
        row.key,
        row.type,
        row.schema,
        row.correlation_id,
        row.causation_id,
        row.occurred_at,
        None,
        attempt,
        row.source,
    )


def _fire(key: _Key, row: JournalRow) -> None:
    """R26: it was armed, by a row before it, with this generation and not cancelled since; and it was due."""
    for name, armed in key.timers.items():
        if armed.message_id == row.message_id:
            del key.timers[name]
            if row.now < armed.due:
                key.blame("a timer does not fire before it is due", row, f"handled at {row.now}, due at {armed.due}")
            return
    key.blame("a timer fires once, while it is armed", row, f"armed were {sorted(key.timers)}")


def _told(context: Context) -> tuple[list[str], list[tuple[str, str]], list[str], list[str]]:
    return (
        [to_text(sent.message_id) for sent in context.sent],
        [(armed.name, to_iso(armed.due)) for armed in context.armed.values()],
        list(context.cancelled),
        [to_text(asked.effect_id) for asked in context.asked],
    )


def _journalled(row: JournalRow) -> tuple[list[str], list[tuple[str, str]], list[str], list[str]]:
    entries = json.loads(row.sent)
    return (
        [entry["id"] for entry in entries if "id" in entry],
        [(entry["timer"], entry["due"]) for entry in entries if "timer" in entry],
        [entry["cancelled"] for entry in entries if "cancelled" in entry],
        [entry["idempotency_key"] for entry in entries if "effect" in entry],
    )


def _check_answer(key: _Key, row: JournalRow) -> None:
    codec = key.plan.codec
    if row.answer != codec.encode(key.state) or row.answer_schema != codec.schema.fingerprint:
        key.blame("an answer is the state after its question", row, f"replay makes {key.state}")


def _end(key: _Key, evidence: Evidence) -> None:
    row = evidence.states.get((key.plan.name, key.key))
    if row is not None and row.body != key.plan.codec.encode(key.state):
        key.blame(_PROMISE, None, f"the store holds other bytes than those of {key.state}")
    stored = _armed(evidence, key)
    wanted = {
        (name, armed.message_id, armed.due)
        for name, armed in key.timers.items()
        if not _is_given_up(evidence.journal.get((key.plan.name, armed.message_id)))
    }
    if stored != wanted:
        key.blame("timers are those that were armed", None, f"the store has {len(stored)}, replay leaves {len(wanted)}")


def _is_given_up(row: JournalRow | None) -> bool:
    """A timer that waited for its key, and that a person has skipped."""
    return row is not None and row.disposition == Disposition.SKIPPED.value


def _armed(evidence: Evidence, key: _Key) -> set[tuple[str, bytes, Instant]]:
    return {(row.name, row.generation, row.due) for row in evidence.timers.get((key.plan.name, key.key), ())}
