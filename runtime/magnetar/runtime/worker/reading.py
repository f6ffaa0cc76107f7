"""From bytes to an arrival: whose it is, what it says, who wrote it.

Any doubt is a problem that travels with the arrival, never a value (R30): what contradicts its own schema is for
nobody, and what has no reader or handler here may be for newer code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from magnetar.runtime import envelope as wire
from magnetar.runtime.envelope import Envelope, plain
from magnetar.runtime.errors import Crashed, MisuseError, PermanentError
from magnetar.runtime.identity import foreign, named, to_text
from magnetar.runtime.instant import from_iso
from magnetar.runtime.store.port import TimerRow
from magnetar.runtime.wiring import checked_key
from magnetar.runtime.worker.arrival import EFFECT, LOCAL, REHOMED, TIMER, Arrival, from_told
from magnetar.runtime.worker.failing import Unread
from magnetar.schemas import DecodeFailed, Kept, Message, SchemaUnavailable, UnknownType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.bus.port import Delivery
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.effects import EffectRow
    from magnetar.runtime.store.parking import ParkedRow
    from magnetar.runtime.store.port import StateRow
    from magnetar.runtime.wiring import ActorPlan, EffectPlan, Topic
    from magnetar.runtime.worker.answers import Told
    from magnetar.runtime.worker.shard import Feed, Shard
    from magnetar.schemas import Codec, Effect, Origin, Schema, State, WriterSchemas

Name = tuple[bytes, str]
"""The id of a message, and its text."""

_properties = msgspec.json.Decoder(dict[str, str]).decode


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


def name_of_delivery(delivery: Delivery, source: str) -> Name:
    """Its id and the id's text, without looking inside.

    A foreign message's is derived from its own name, or from its place on the broker.
    """
    text = delivery.properties.get(wire.MESSAGE_ID)
    if text is None:
        message_id = foreign(f"{source}/{delivery.position}")
        return message_id, to_text(message_id)
    return named(text)


class Reader:
    """Reads what one worker's sources, and its store, hand over. Used by the loop's thread."""

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

    def read(self, shard: Shard, feed: Feed, delivery: Delivery, name: Name) -> Arrival | None:
        """The arrival, or None for an event that this actor does not take. `name` is what the delivery is known by.

        Raises `SchemaUnavailable` when its writer's schema cannot be fetched now.
        """
        named = delivery.properties.get(wire.TYPE)
        own = feed.topic is shard.plan.sources[0] and feed.topic.name == shard.plan.name
        if named is not None and not own and named not in shard.plan.types:
            return None
        try:
            writer = self._writers.find(feed.topic.name, delivery.schema_version, delivery.properties.get(wire.SCHEMA))
        except SchemaUnavailable as error:
            if delivery.schema_version is not None:
                raise  # R30: a registry that does not answer now is waited for
            return _unreadable(feed, delivery, name, "", PermanentError(str(error)))
        if writer.fingerprint not in self._met:
            self._fresh[writer.fingerprint] = writer.text
        try:
            message = _message(shard.plan, feed.topic, delivery.body, writer, _Origin(feed, delivery))
            return _arrival(shard, feed, delivery, name, message, writer.fingerprint)
        except Unread as problem:
            return _unreadable(feed, delivery, name, writer.fingerprint, Unread(str(problem))) if own else None
        except (DecodeFailed, MisuseError, ValueError) as error:
            return _unreadable(feed, delivery, name, writer.fingerprint, PermanentError(str(error)))

    def parked(self, plan: ActorPlan, row: ParkedRow, failures: int) -> Arrival:
        """A parked message again, `failures` of its attempts being over. Raises `SchemaUnavailable`."""
        if row.timer:
            return self._again(self.timer(plan, _timer_of(row)), row, failures)
        message: Message | None = None
        problem: Exception | None = None
        if row.source == EFFECT:
            outcome = plan.outcomes.get(row.type)
            message, problem = self._own(plan, row, outcome, f"actor {plan.name!r} has no handler for {row.type}")
            return self._again(_parked(row, message, problem), row, failures)
        topic = _topic_of(plan, row.source)
        if topic is None:
            problem = Unread(f"actor {plan.name!r} does not take what is on {row.source} any more")
        elif not row.schema:
            problem = PermanentError(
                f"nobody has named the schema with which message {to_text(row.message_id)} is written"
            )
        else:
            message, problem = self._read_again(plan, topic, row)
        return self._again(_parked(row, message, problem), row, failures)

    def bare(self, row: ParkedRow) -> Arrival:
        """A parked message that is to be given up: what it says does not matter, nor whether it can be read."""
        arrival = self._again(_parked(row, None, None), row, 0)
        return msgspec.structs.replace(arrival, timer=_timer_of(row)) if row.timer else arrival

    def _read_again(self, plan: ActorPlan, topic: Topic, row: ParkedRow) -> tuple[Message | None, Exception | None]:
        writer = self._writers.find(topic.name, None, row.schema)
        origin = Kept(row.source, to_text(row.message_id), row.schema)
        try:
            return _message(plan, topic, row.body, writer, origin), None
        except Unread as problem:
            return None, Unread(str(problem))
        except (DecodeFailed, ValueError) as error:
            return None, PermanentError(str(error))

    def _own(
        self, plan: ActorPlan, row: ParkedRow, codec: Codec[Any] | None, why_not: str
    ) -> tuple[Message | None, Exception | None]:
        """A message that never was on a topic."""
        if codec is None:
            return None, Unread(why_not)
        writer = self._writers.find(plan.name, None, row.schema)
        try:
            return codec.decode(row.body, writer, Kept(f"outcome of {plan.name}", row.key, row.schema)), None
        except UnknownType as error:
            return None, Unread(str(error))
        except DecodeFailed as error:
            return None, PermanentError(str(error))

    def request(self, plan: ActorPlan, effect: EffectPlan, row: EffectRow) -> Effect:
        """What is asked of the outside. Raises `DecodeFailed`, `SchemaUnavailable`."""
        writer = self._writers.find(plan.name, None, row.schema)
        return effect.codec.decode(row.body, writer, Kept(f"effect of {plan.name}", row.key, row.schema))

    def shut(self, feed: Feed, delivery: Delivery, name: Name, crashes: int) -> Arrival:
        """A delivery that is not opened any more, for it has crashed so often. Raises `SchemaUnavailable`."""
        try:
            writer = self._writers.find(feed.topic.name, delivery.schema_version, delivery.properties.get(wire.SCHEMA))
        except SchemaUnavailable:
            if delivery.schema_version is not None:
                raise
            return replace(_unreadable(feed, delivery, name, "", Crashed(crashes)), crashes=crashes)
        if writer.fingerprint not in self._met:
            self._fresh[writer.fingerprint] = writer.text
        return replace(_unreadable(feed, delivery, name, writer.fingerprint, Crashed(crashes)), crashes=crashes)

    def shut_timer(self, row: TimerRow, crashes: int) -> Arrival:
        """The same of a fired timer."""
        return replace(_fired(row, None, Crashed(crashes)), crashes=crashes)

    def shut_told(self, told: Told, now: Instant, crashes: int) -> Arrival:
        """The same of the outcome of an effect."""
        return replace(from_told(told, now), message=None, problem=Crashed(crashes), crashes=crashes)

    def shut_row(self, row: ParkedRow, failures: int, crashes: int) -> Arrival:
        """The same of a parked message, `failures` of its attempts being over."""
        if row.timer:
            return self._again(self.shut_timer(_timer_of(row), crashes), row, failures)
        return replace(self._again(_parked(row, None, Crashed(crashes)), row, failures), crashes=crashes)

    def _again(self, arrival: Arrival, row: ParkedRow, failures: int) -> Arrival:
        return replace(arrival, ordinal=row.ordinal, failures=failures)

    def state(self, plan: ActorPlan, row: StateRow) -> State:
        """A stored state, read with the schema it was written with. Raises `DecodeFailed`, `SchemaUnavailable`."""
        writer = self._writers.find(plan.name, None, row.schema)
        return plan.codec.decode(row.body, writer, Kept(f"state of {plan.name}", row.key, row.schema))

    def timer(self, plan: ActorPlan, row: TimerRow) -> Arrival:
        """A due timer as an arrival: its generation is its message id, so it is applied once (R26)."""
        codec = plan.timers.get(row.type)
        message: Message | None = None
        problem: Exception | None = None
        if codec is None:
            problem = Unread(f"actor {plan.name!r} has no handler for timer {row.type}")
        else:
            writer = self._writers.find(plan.name, None, row.schema)
            try:
                message = codec.decode(row.body, writer, Kept(f"timer of {plan.name}", row.key, row.schema))
            except UnknownType as error:
                problem = Unread(str(error))
            except DecodeFailed as error:
                problem = PermanentError(str(error))
        return _fired(row, message, problem)


def _message(plan: ActorPlan, topic: Topic, body: bytes, writer: Schema, origin: Origin) -> Message:
    """What the bytes say, if this code can read and handle it: `Unread`. Raises what decoding raises."""
    try:
        message = topic.codec.decode(body, writer, origin)
    except UnknownType as error:
        raise Unread(str(error)) from error
    if type(message) not in plan.handlers:
        raise Unread(f"actor {plan.name!r} has no handler for {type(message).__name__}")
    return message


def _topic_of(plan: ActorPlan, source: str) -> Topic | None:
    """The topic that a stored source names; what was told in this process is written as the actor's own."""
    name = plan.sources[0].name if source == LOCAL else source.rpartition("/")[0]
    return next((topic for topic in plan.sources if topic.name == name), None)


def _fired(row: TimerRow, message: Message | None, problem: Exception | None) -> Arrival:
    text, causes = to_text(row.generation), (row.correlation_id, row.causation_id)
    envelope = Envelope(text, row.key, row.type, row.schema, *causes, row.due, None, 0, TIMER)
    return Arrival(
        row.generation, row.key, message, envelope, row.schema, row.body, "", row.due, {}, timer=row, problem=problem
    )


def _timer_of(row: ParkedRow) -> TimerRow:
    return TimerRow(
        row.actor, row.key, row.timer, row.shard, row.message_id, row.occurred_at, row.type, row.schema, row.body,
        row.correlation_id, row.causation_id,
    )  # fmt: skip


def _parked(row: ParkedRow, message: Message | None, problem: Exception | None) -> Arrival:
    properties = _properties(row.properties)
    envelope = Envelope(
        to_text(row.message_id), row.key, row.type, row.schema, row.correlation_id, row.causation_id, row.occurred_at,
        properties.get(wire.TRACEPARENT), 0, row.source,
    )  # fmt: skip
    return Arrival(
        row.message_id, row.key, message, envelope, row.schema, row.body, row.position, row.published_at, properties,
        asks=wire.ASKS in properties, problem=problem,
    )  # fmt: skip


def _unreadable(feed: Feed, delivery: Delivery, name: Name, schema: str, problem: Exception) -> Arrival:
    """An arrival without a message: under the key that the broker knows, if that can be one."""
    message_id, text = name
    try:
        key = checked_key(delivery.key, "a message")
    except MisuseError:
        key = ""
    properties = delivery.properties
    envelope = Envelope(
        text, key, plain(properties.get(wire.TYPE, "")), schema, plain(properties.get(wire.CORRELATION_ID, text)),
        plain(properties.get(wire.CAUSATION_ID, "")), delivery.published_at, None, 0, feed.name,
    )  # fmt: skip
    return Arrival(
        message_id, key, None, envelope, schema, delivery.body, str(delivery.position), delivery.published_at,
        properties, rehomed=REHOMED in properties, asks=wire.ASKS in properties, problem=problem,
    )  # fmt: skip


def _arrival(shard: Shard, feed: Feed, delivery: Delivery, name: Name, message: Message, schema: str) -> Arrival:
    message_id, text = name
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
        properties=delivery.properties,
        asks=wire.ASKS in delivery.properties,
        rehomed=REHOMED in delivery.properties,
    )


def _envelope(delivery: Delivery, text: str, key: str, kind: str, schema: str, source: str) -> Envelope:
    properties: Mapping[str, str] = delivery.properties
    occurred = properties.get(wire.OCCURRED_AT)
    return Envelope(
        message_id=text,
        key=key,
        type=kind,
        schema=schema,
        correlation_id=plain(properties.get(wire.CORRELATION_ID, text)),
        causation_id=plain(properties.get(wire.CAUSATION_ID, "")),
        occurred=delivery.published_at if occurred is None else from_iso(occurred),
        traceparent=properties.get(wire.TRACEPARENT),
        attempt=int(properties.get(wire.ATTEMPT, "0")),
        source=source,
    )
