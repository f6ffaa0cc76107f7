"""One key: what it is now, and how it came to be so. Read from a store's views, whatever worker owns the key."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from magnetar.runtime.envelope import CAUSATION_ID, MESSAGE_ID, TYPE
from magnetar.runtime.identity import to_text
from magnetar.runtime.instant import to_datetime
from magnetar.runtime.operate.asking import RequestReport
from magnetar.runtime.operate.asking import told as told_of
from magnetar.runtime.operate.decoding import Content, Decoding
from magnetar.runtime.operate.key_names import shard_of_key
from magnetar.runtime.store.port import Disposition

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from magnetar.runtime.operate.key_names import KeyName
    from magnetar.runtime.store.effects import EffectRow
    from magnetar.runtime.store.port import JournalRow, OutboxRow, TimerRow
    from magnetar.runtime.store.views import Views

MOST_MESSAGES = 20_000
"""So many messages of a key are read at most: bounds the memory that a look at a very busy key takes."""

MOST_WAITING = 10
"""So many messages of a parked key's tail are told."""

MOST_FAILED = 100
"""Of so many messages that were not applied the failed attempts are told."""

_LOOKS = 5

_decode_object = msgspec.json.Decoder(dict[str, str]).decode
_decode_list = msgspec.json.Decoder(list[dict[str, str]]).decode


class ShardReport(msgspec.Struct, frozen=True):
    """Who owns the key's shard. `owner` is '' while nobody does; `epoch` counts how often it has changed hands."""

    name: str
    owner: str
    epoch: int
    commits: int


class TimerReport(msgspec.Struct, frozen=True):
    """An armed timer."""

    name: str
    type: str
    due: datetime
    content: Content


class EffectReport(msgspec.Struct, frozen=True):
    """What the key asks of the outside and has no outcome of. `state`: `asked`, `open` or `unknown`.

    `due`: when it is asked next, or has had its time. Of the `attempts`, `doubtful` may have been done.
    """

    idempotency_key: str
    type: str
    dependency: str
    state: str
    attempts: int
    doubtful: int
    asked_at: datetime
    due: datetime
    error: str
    error_text: str
    content: Content


class UnsentReport(msgspec.Struct, frozen=True):
    """A message that the key has decided and whose receipt has not come. `number` is its place in the shard's lane."""

    number: int
    type: str
    message_id: str
    to: str
    key: str
    caused_by: str


class WaitingReport(msgspec.Struct, frozen=True):
    """A message that waits for its key. `type` is '' when it could not be read."""

    message_id: str
    type: str
    content: Content
    source: str
    parked_at: datetime


class ParkedReport(msgspec.Struct, frozen=True):
    """Why a key is parked. `failures`, `crashes`, `error` and `error_text` are of what it waits for.

    `due` None: not by itself. `crashes`: how often a worker ended with its first message in hand.

    `reason`: `retry`, its first message is tried again; `held`, a message of it died; `unread`, newer code is needed;
    `crowded`, it asks for an effect of a dependency whose queue is full; `paused`, by a person; `stopped`, the type of
    its first message is. `held_by`: the dead letter's id, that type, or that
    dependency.
    `waiting` messages in all wait for it, the first of which are in `messages`.
    """

    reason: str
    since: datetime
    due: datetime | None
    failures: int
    error: str
    error_text: str
    waiting: int
    messages: list[WaitingReport]
    held_by: str = ""
    crashes: int = 0


class KeyReport(msgspec.Struct, frozen=True):
    """A key as it is now. `version` is the number of messages applied; 0: none, and the state is None.

    `parked` is None for a key that is not.
    """

    actor: str
    key: str
    version: int
    state: Content | None
    schema: str
    changed_at: datetime | None
    shard: ShardReport
    timers: list[TimerReport]
    unsent: list[UnsentReport]
    parked: ParkedReport | None = None
    effects: list[EffectReport] = []

    @property
    def seen(self) -> bool:
        """Whether anything of the key is here."""
        return self.state is not None or self.parked is not None


class SentReport(msgspec.Struct, frozen=True):
    """A message that handling one has sent. `unsent`: it waits in the outbox still."""

    type: str
    message_id: str
    to: str
    key: str
    unsent: bool


class ArmedReport(msgspec.Struct, frozen=True):
    """A timer that handling a message has armed, and when it was to fire."""

    name: str
    due: datetime


class AskedReport(msgspec.Struct, frozen=True):
    """An effect that handling a message has asked of a dependency, under this key in all attempts."""

    type: str
    dependency: str
    idempotency_key: str


class FailureReport(msgspec.Struct, frozen=True):
    """One failed attempt to handle a message: which one it was, when, and the error."""

    number: int
    at: datetime
    error: str
    error_text: str


class CrashReport(msgspec.Struct, frozen=True):
    """A worker that ended with a message in hand: which crash of it that was, when it was found out, and who ended."""

    number: int
    at: datetime
    owner: str


class Happening(msgspec.Struct, frozen=True):
    """One message of the key, and what it did. `version` is the state's after it.

    Of one that was not applied, `version` is that of the state meanwhile, and `failures` are its attempts so far.
    `crashes` are the workers that ended with it in hand.

    `source` is `topic/partition`, `timer`, `effect` or `local`; `position` the broker's there. `published_at` is the
    publisher's clock (a timer's due time), `handled_at` the store's.
    """

    message_id: str
    type: str
    disposition: str
    version: int
    content: Content
    source: str
    position: str
    correlation_id: str
    causation_id: str
    occurred_at: datetime
    published_at: datetime
    handled_at: datetime
    code: str
    sent: list[SentReport]
    armed: list[ArmedReport]
    cancelled: list[str]
    failures: list[FailureReport] = []
    crashes: list[CrashReport] = []
    asked: list[AskedReport] = []


class Timeline(msgspec.Struct, frozen=True):
    """The key's story in the order of its versions. `earlier` messages came before the first one told here.

    `incomplete`: the key has had more messages than can be read at once, and the latest are missing. `requests` are
    what people asked of it, the last so many, the earliest first.
    """

    actor: str
    key: str
    messages: list[Happening]
    earlier: int = 0
    incomplete: bool = False
    requests: list[RequestReport] = []


def show(views: Views, name: KeyName) -> KeyReport:
    """The key as it is now. Raises `MisuseError` for an actor that the store does not know, `StoreUnavailable`.

    Its parts are read one after the other; when a commit has come between, they are read again.
    """
    report = _look(views, name)
    for _ in range(_LOOKS):
        row = views.state(name.actor, name.key)
        if report.version == (0 if row is None else row.version):
            break
        report = _look(views, name)
    return report


def _look(views: Views, name: KeyName) -> KeyReport:
    shard = shard_of_key(views.shards(), name)
    decoding = Decoding(views.schemas())
    row = views.state(name.actor, name.key)
    return KeyReport(
        actor=name.actor,
        key=name.key,
        version=0 if row is None else row.version,
        state=None if row is None else decoding.read(row.body, row.schema),
        schema="" if row is None else row.schema,
        changed_at=None if row is None else to_datetime(row.changed_at),
        shard=ShardReport(shard.shard, shard.owner, shard.epoch, shard.commits),
        timers=[_timer(decoding, timer) for timer in views.timers_of(name.actor, name.key)],
        unsent=_unsent(views, name),
        parked=_parked(views, decoding, name),
        effects=[_effect(decoding, row) for row in views.effects_of(name.actor, name.key)],
    )


def _parked(views: Views, decoding: Decoding, name: KeyName) -> ParkedReport | None:
    key = views.parked_key(name.actor, name.key)
    if key is None:
        return None
    rows = views.parked_of(name.actor, name.key, MOST_WAITING)
    due = None if key.due is None else to_datetime(key.due)
    return ParkedReport(
        key.reason, to_datetime(key.since), due, key.failures, key.error, key.error_text, key.last - key.first + 1,
        [
            WaitingReport(
                to_text(row.message_id), row.type, decoding.read(row.body, row.schema, row.type), row.source,
                to_datetime(row.parked_at),
            )
            for row in rows
        ],
        key.held_by,
        key.crashes,
    )  # fmt: skip


def timeline(views: Views, name: KeyName, last: int) -> Timeline:
    """The last so many messages of the key and what they did. Raises as `show` does."""
    shard = shard_of_key(views.shards(), name).shard
    rows = views.timeline(name.actor, name.key, MOST_MESSAGES)
    told = rows[-last:]
    decoding = Decoding(views.schemas())
    waiting = {row.message_id for row in _unsent_of(views, name, told)}
    messages = _with_failures(views, told, [happening(decoding, row, waiting) for row in told])
    requests = [told_of(row) for row in reversed(views.requests_of(shard, name.key, last))]
    return Timeline(name.actor, name.key, messages, len(rows) - len(told), len(rows) == MOST_MESSAGES, requests)


def _with_failures(views: Views, rows: list[JournalRow], told: list[Happening]) -> list[Happening]:
    """Those that are parked or dead, with their attempts: of the first so many, for each is a question."""
    left = MOST_FAILED
    found: list[Happening] = []
    for row, message in zip(rows, told, strict=True):
        if left and row.disposition in {Disposition.PARKED, Disposition.DEAD}:
            left -= 1
            failures = [
                FailureReport(each.number, to_datetime(each.now), each.error, each.error_text)
                for each in views.failures_of(row.actor, row.message_id)
            ]
            crashes = [
                CrashReport(each.number, to_datetime(each.now), each.owner)
                for each in views.crashes_of(row.actor, row.message_id)
            ]
            found.append(msgspec.structs.replace(message, failures=failures, crashes=crashes))
        else:
            found.append(message)
    return found


def _timer(decoding: Decoding, row: TimerRow) -> TimerReport:
    return TimerReport(row.name, row.type, to_datetime(row.due), decoding.read(row.body, row.schema))


def _effect(decoding: Decoding, row: EffectRow) -> EffectReport:
    return EffectReport(
        to_text(row.effect_id), row.type, row.dependency, row.state, row.attempts, row.doubtful,
        to_datetime(row.asked_at), to_datetime(row.due), row.error, row.error_text, decoding.read(row.body, row.schema),
    )  # fmt: skip


def _unsent(views: Views, name: KeyName) -> list[UnsentReport]:
    """The journal is read only when the shard has unsent rows at all: usually it has none."""
    if not views.unsent_of(name.actor):
        return []
    return _unsent_of(views, name, views.timeline(name.actor, name.key, MOST_MESSAGES))


def _unsent_of(views: Views, name: KeyName, rows: Iterable[JournalRow]) -> list[UnsentReport]:
    """The outbox rows that these messages caused."""
    causes = {to_text(row.message_id) for row in rows}
    waiting = [_waiting(row) for row in views.unsent_of(name.actor)]
    return [row for row in waiting if row.caused_by in causes]


def _waiting(row: OutboxRow) -> UnsentReport:
    properties = _decode_object(row.properties)
    return UnsentReport(
        number=row.number,
        type=properties.get(TYPE, ""),
        message_id=properties.get(MESSAGE_ID, ""),
        to=f"{row.topic}/{row.partition}",
        key=row.key,
        caused_by=properties.get(CAUSATION_ID, ""),
    )


def happening(decoding: Decoding, row: JournalRow, waiting: AbstractSet[str]) -> Happening:
    """A journal row, told; `waiting` are the ids of messages that are in the outbox still."""
    did = _decode_list(row.sent)
    return Happening(
        message_id=to_text(row.message_id),
        type=row.type,
        disposition=row.disposition,
        version=row.version,
        content=decoding.read(row.body, row.schema, row.type),
        source=row.source,
        position=row.position,
        correlation_id=row.correlation_id,
        causation_id=row.causation_id,
        occurred_at=to_datetime(row.occurred_at),
        published_at=to_datetime(row.published_at),
        handled_at=to_datetime(row.now),
        code=row.code,
        sent=[SentReport(it["type"], it["id"], it["to"], it["key"], it["id"] in waiting) for it in did if "id" in it],
        armed=[ArmedReport(it["timer"], datetime.fromisoformat(it["due"])) for it in did if "timer" in it],
        cancelled=[it["cancelled"] for it in did if "cancelled" in it],
        asked=[AskedReport(it["effect"], it["asks"], it["idempotency_key"]) for it in did if "effect" in it],
    )


def as_json(report: msgspec.Struct) -> Any:  # noqa: ANN401 - JSON
    """The report as plain values; instants are ISO 8601 in UTC."""
    return msgspec.to_builtins(report)
