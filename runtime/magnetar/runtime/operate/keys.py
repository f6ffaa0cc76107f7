"""One key: what it is now, and how it came to be so. Read from a store's views, whatever worker owns the key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from magnetar.runtime.envelope import CAUSATION_ID, MESSAGE_ID, TYPE
from magnetar.runtime.errors import MisuseError
from magnetar.runtime.identity import to_text
from magnetar.runtime.instant import to_datetime
from magnetar.runtime.operate.decoding import Content, Decoding
from magnetar.runtime.routing import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from magnetar.runtime.store.port import JournalRow, OutboxRow, ShardRow, TimerRow
    from magnetar.runtime.store.views import Views

MOST_MESSAGES = 20_000
"""So many messages of a key are read at most: bounds the memory that a look at a very busy key takes."""

_LOOKS = 5

_decode_object = msgspec.json.Decoder(dict[str, str]).decode
_decode_list = msgspec.json.Decoder(list[dict[str, str]]).decode


@dataclass(frozen=True, slots=True)
class KeyName:
    """Which key of which actor: `orders/o-1`. A key may hold slashes, an actor's name cannot."""

    actor: str
    key: str

    @classmethod
    def parse(cls, text: str) -> KeyName:
        """The inverse of `str(name)`; `MisuseError` for other text."""
        actor, slash, key = text.partition("/")
        if not (actor and slash and key):
            message = f"{text!r} names no key: write the actor, a slash and the key, such as orders/o-1"
            raise MisuseError(message)
        return cls(actor, key)

    def __str__(self) -> str:
        """`actor/key`."""
        return f"{self.actor}/{self.key}"


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


class UnsentReport(msgspec.Struct, frozen=True):
    """A message that the key has decided and whose receipt has not come. `number` is its place in the shard's lane."""

    number: int
    type: str
    message_id: str
    to: str
    key: str
    caused_by: str


class KeyReport(msgspec.Struct, frozen=True):
    """A key as it is now. `version` is the number of messages applied; 0 is a key never seen, whose state is None."""

    actor: str
    key: str
    version: int
    state: Content | None
    schema: str
    changed_at: datetime | None
    shard: ShardReport
    timers: list[TimerReport]
    unsent: list[UnsentReport]


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


class Happening(msgspec.Struct, frozen=True):
    """One message of the key, and what it did. `version` is the state's after it.

    `source` is `topic/partition`, `timer`, or `local`; `position` the broker's there. `published_at` is the
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


class Timeline(msgspec.Struct, frozen=True):
    """The key's story in the order of its versions. `earlier` messages came before the first one told here.

    `incomplete`: the key has had more messages than can be read at once, and the latest are missing.
    """

    actor: str
    key: str
    messages: list[Happening]
    earlier: int = 0
    incomplete: bool = False


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
    shard = _shard_of(views, name)
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
    )


def timeline(views: Views, name: KeyName, last: int) -> Timeline:
    """The last so many messages of the key and what they did. Raises as `show` does."""
    _shard_of(views, name)
    rows = views.timeline(name.actor, name.key, MOST_MESSAGES)
    told = rows[-last:]
    decoding = Decoding(views.schemas())
    waiting = {row.message_id for row in _unsent_of(views, name, told)}
    messages = [happening(decoding, row, waiting) for row in told]
    return Timeline(name.actor, name.key, messages, len(rows) - len(told), len(rows) == MOST_MESSAGES)


def _shard_of(views: Views, name: KeyName) -> ShardRow:
    shards: dict[str, list[ShardRow]] = {}
    for row in views.shards():
        shards.setdefault(row.shard.rpartition("/")[0], []).append(row)
    own = shards.get(name.actor)
    if own is None:
        known = ", ".join(sorted(shards)) or "none at all; no worker has run on it yet"
        message = f"this store knows no actor {name.actor!r}; it knows {known}"
        raise MisuseError(message)
    wanted = f"{name.actor}/{partition_of(name.key, len(own))}"
    return next(row for row in own if row.shard == wanted)


def _timer(decoding: Decoding, row: TimerRow) -> TimerReport:
    return TimerReport(row.name, row.type, to_datetime(row.due), decoding.read(row.body, row.schema))


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
    )


def as_json(report: KeyReport | Timeline) -> Any:  # noqa: ANN401 - JSON
    """The report as plain values; instants are ISO 8601 in UTC."""
    return msgspec.to_builtins(report)
