"""From a delivery to an arrival: whose it is, what it says, who wrote it.

Any doubt is an error, never a value (R30).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from magnetar.runtime import envelope as wire
from magnetar.runtime.envelope import Envelope
from magnetar.runtime.errors import MisuseError, Unhandleable
from magnetar.runtime.identity import foreign, named, to_text
from magnetar.runtime.instant import Instant, from_iso
from magnetar.runtime.store.port import TimerRow
from magnetar.runtime.wiring import checked_key
from magnetar.schemas import DecodeFailed, Kept, Message, SchemaUnavailable, Timer, UnknownType

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Delivery
    from magnetar.runtime.store.port import StateRow
    from magnetar.runtime.wiring import ActorPlan
    from magnetar.runtime.worker.shard import Feed, Mail, Shard
    from magnetar.schemas import Schema, State, WriterSchemas

LOCAL = "local"
TIMER = "timer"
REHOMED = "rehomed"


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One message about to be handled.

    `schema` and `body` are what the journal keeps; `at` is the broker's position as text.
    """

    message_id: bytes
    key: str
    message: Message
    envelope: Envelope
    schema: str
    body: bytes
    at: str
    published_at: Instant
    asks: bool = False
    rehomed: bool = False
    timer: TimerRow | None = None
    reply: Any = None


class _Origin:
    """What an error says about where bytes came from; made only to be read then."""

    __slots__ = ("_delivery", "_feed")

    def __init__(self, feed: Feed, delivery: Delivery) -> None:
        self._feed = feed
        self._delivery = delivery

    @property
    def topic(self) -> str:
        return self._feed.name

    @property
    def message_id(self) -> str:
        return self._delivery.properties.get(wire.MESSAGE_ID, str(self._delivery.position))

    @property
    def schema_version(self) -> str:
        return str(self._delivery.schema_version)


def _named(delivery: Delivery, source: str) -> tuple[bytes, str]:
    """Its id and the id's text. A foreign message's is derived from its own name, or from its place on the broker."""
    text = delivery.properties.get(wire.MESSAGE_ID)
    if text is None:
        message_id = foreign(f"{source}/{delivery.position}")
        return message_id, to_text(message_id)
    return named(text)


class Reader:
    """Reads what one worker's sources hand over. Used by the loop's thread."""

    def __init__(self, writers: WriterSchemas) -> None:
        """`writers` finds the schema a message was written with."""
        self._writers = writers
        self._met: dict[str, str] = {}
        self._fresh: dict[str, str] = {}

    def fresh(self) -> dict[str, str]:
        """Schemas met since the last call, text by fingerprint: the store must know them before rows that need them."""
        fresh, self._fresh = self._fresh, {}
        self._met.update(fresh)
        return fresh

    def keep(self, schemas: dict[str, str]) -> None:
        """These could not be stored yet: they count as fresh again."""
        self._fresh.update(schemas)

    def read(self, shard: Shard, feed: Feed, delivery: Delivery) -> Arrival | None:
        """The arrival, or None for an event that this actor does not take.

        Raises `Unhandleable`, and `SchemaUnavailable` when its writer's schema cannot be fetched now.
        """
        named = delivery.properties.get(wire.TYPE)
        own = feed.topic is shard.plan.sources[0] and feed.topic.name == shard.plan.name
        if named is not None and not own and named not in shard.plan.types:
            return None
        writer = self._writer(shard, feed, delivery)
        if writer.fingerprint not in self._met:
            self._fresh[writer.fingerprint] = writer.text
        try:
            message = feed.topic.codec.decode(delivery.body, writer, _Origin(feed, delivery))
            if type(message) not in shard.plan.handlers:
                if not own:
                    return None
                raise _unhandleable(
                    shard, feed, delivery, f"actor {shard.plan.name!r} has no handler for {type(message).__name__}"
                )
            return self._arrival(shard, feed, delivery, message, writer.fingerprint)
        except UnknownType as error:
            if not own:
                return None
            raise _unhandleable(shard, feed, delivery, str(error)) from error
        except (DecodeFailed, MisuseError, ValueError) as error:
            raise _unhandleable(shard, feed, delivery, str(error)) from error

    def _writer(self, shard: Shard, feed: Feed, delivery: Delivery) -> Schema:
        """R30: a schema that the registry does not give now is waited for; one that nobody named never comes."""
        version = delivery.schema_version
        try:
            return self._writers.find(feed.topic.name, version, delivery.properties.get(wire.SCHEMA))
        except SchemaUnavailable as error:
            if version is not None:
                raise
            raise _unhandleable(shard, feed, delivery, str(error)) from error

    def _arrival(self, shard: Shard, feed: Feed, delivery: Delivery, message: Message, schema: str) -> Arrival:
        message_id, text = _named(delivery, feed.name)
        kind = shard.plan.kinds[type(message)]
        if kind.key is None:
            problem = f"{kind.name} came by a topic, but has no key"
            raise MisuseError(problem)
        key = checked_key(kind.key(message), kind.name)
        return Arrival(
            message_id=message_id,
            key=key,
            message=message,
            envelope=_envelope(delivery, text, key, kind.name, schema, feed.name),
            schema=schema,
            body=delivery.body,
            at=str(delivery.position),
            published_at=delivery.published_at,
            asks=wire.ASKS in delivery.properties,
            rehomed=REHOMED in delivery.properties,
        )

    def state(self, plan: ActorPlan, row: StateRow) -> State:
        """A stored state, read with the schema it was written with. Raises `DecodeFailed`, `SchemaUnavailable`."""
        writer = self._writers.find(plan.name, None, row.schema)
        return plan.codec.decode(row.body, writer, Kept(f"state of {plan.name}", row.key, row.schema))

    def timer(self, plan: ActorPlan, row: TimerRow) -> Arrival:
        """A due timer as an arrival: its generation is its message id, so it is applied once (R26)."""
        codec = plan.timers.get(row.type)
        if codec is None:
            raise Unhandleable(plan.name, TIMER, row.name, f"no handler for {row.type} here, armed for key {row.key!r}")
        writer = self._writers.find(plan.name, None, row.schema)
        timer = codec.decode(row.body, writer, Kept(f"timer of {plan.name}", row.key, row.schema))
        text, causes = to_text(row.generation), (row.correlation_id, row.causation_id)
        envelope = Envelope(text, row.key, row.type, row.schema, *causes, row.due, None, 0, TIMER)
        return Arrival(row.generation, row.key, timer, envelope, row.schema, row.body, "", row.due, timer=row)


def _unhandleable(shard: Shard, feed: Feed, delivery: Delivery, reason: str) -> Unhandleable:
    return Unhandleable(shard.plan.name, feed.name, str(delivery.position), reason)


def _envelope(delivery: Delivery, text: str, key: str, kind: str, schema: str, source: str) -> Envelope:
    properties = delivery.properties
    occurred = properties.get(wire.OCCURRED_AT)
    return Envelope(
        message_id=text,
        key=key,
        type=kind,
        schema=schema,
        correlation_id=properties.get(wire.CORRELATION_ID, text),
        causation_id=properties.get(wire.CAUSATION_ID, ""),
        occurred=delivery.published_at if occurred is None else from_iso(occurred),
        traceparent=properties.get(wire.TRACEPARENT),
        attempt=int(properties.get(wire.ATTEMPT, "0")),
        source=source,
    )


def from_mail(plan: ActorPlan, mail: Mail, message_id: bytes, now: Instant) -> Arrival:
    """A message told or asked through an `ActorRef`. Raises `MisuseError` when the actor takes no such message."""
    kind = type(mail.message)
    if kind not in plan.handlers or isinstance(mail.message, Timer):
        message = f"actor {plan.name!r} takes no {kind.__name__}; it takes {', '.join(sorted(plan.types))}"
        raise MisuseError(message)
    named = plan.kinds[kind].key
    if named is not None and named(mail.message) != mail.key:
        message = f"{kind.__name__} is for key {named(mail.message)!r:.80}, but was told to {mail.key!r}"
        raise MisuseError(message)
    codec = plan.sources[0].codec
    text, schema = to_text(message_id), codec.schema.fingerprint
    envelope = Envelope(text, mail.key, plan.kinds[kind].name, schema, text, "", now, None, 0, LOCAL)
    return Arrival(
        message_id, mail.key, mail.message, envelope, schema, codec.encode(mail.message), "", now, reply=mail.reply
    )
