"""The only place that imports the Python client; everything behind it is typed.

`pulsar-client` ships no types and wraps a C++ library (`_pulsar`). We use the C++ objects themselves: they take
one call less a message, they tell the writer's schema version as a number (the wrapper pushes eight raw bytes
through UTF-8), and their `…_async` calls take a callback, so that nothing here blocks or needs a thread.

Callbacks run in the client's I/O thread. An exception in one of them ends the process, and a blocking call in one
of them stops that thread for good: every callback we give is either a method implemented in C (`SimpleQueue.put`,
`dict.setdefault`) or `opening.Arrival`, which only appends.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportPrivateUsage=false

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol, cast

import _pulsar
import pulsar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magnetar.runtime.bus.pulsar.settings import PulsarSettings


class NativeResult(Protocol):
    """The C++ client's result code. Compare by `name`: the objects are made anew for each call."""

    @property
    def name(self) -> str: ...  # noqa: D102


class NativeMessageId(Protocol):
    """Where a message stands; `partition` is -1 where the client does not know it."""

    def ledger_id(self) -> int: ...  # noqa: D102
    def entry_id(self) -> int: ...  # noqa: D102
    def batch_index(self) -> int: ...  # noqa: D102


class NativeError(Protocol):
    """What an `…_async_v2` call gives to its callback when it failed."""

    @property
    def error(self) -> NativeResult: ...  # noqa: D102
    @property
    def message(self) -> str: ...  # noqa: D102


class NativeMessage(Protocol):
    """A received message, still in C++ memory: every call copies."""

    def data(self) -> bytes: ...  # noqa: D102
    def properties(self) -> dict[str, str]: ...  # noqa: D102
    def partition_key(self) -> str: ...  # noqa: D102
    def publish_timestamp(self) -> int: ...  # noqa: D102
    def message_id(self) -> NativeMessageId: ...  # noqa: D102
    def int_schema_version(self) -> int: ...  # noqa: D102


class OutgoingMessage(Protocol):
    """A built message, opaque to us."""


class MessageBuilder(Protocol):
    """Builds one message; the key and the sequence id are set only by a call."""

    def content(self, body: bytes) -> object: ...  # noqa: D102
    def partition_key(self, key: str) -> object: ...  # noqa: D102
    def properties(self, properties: dict[str, str]) -> object: ...  # noqa: D102
    def sequence_id(self, number: int) -> object: ...  # noqa: D102
    def build(self) -> OutgoingMessage: ...  # noqa: D102


class Closable(Protocol):
    """What can be closed without waiting."""

    def close_async(self, done: Callable[[NativeResult], object]) -> None: ...  # noqa: D102


class NativeConsumer(Closable, Protocol):
    """A subscription on one partition topic. `receive` takes milliseconds and raises `Timeout`."""

    def receive(self, milliseconds: int) -> NativeMessage: ...  # noqa: D102
    def acknowledge_cumulative(self, message_id: NativeMessageId) -> None: ...  # noqa: D102
    def get_last_message_id(self) -> NativeMessageId: ...  # noqa: D102
    def get_last_message_id_async(self, done: Callable[[NativeResult, NativeMessageId], object]) -> None: ...  # noqa: D102
    def seek_async(self, message_id: NativeMessageId, done: Callable[[NativeResult], object]) -> None: ...  # noqa: D102
    def is_connected(self) -> bool: ...  # noqa: D102


class NativeProducer(Closable, Protocol):
    """A producer on one partition topic. `last_sequence_id` is -1 for a name the broker does not know."""

    def send_async(  # noqa: D102
        self, message: OutgoingMessage, done: Callable[[NativeResult, NativeMessageId], object]
    ) -> None: ...
    def last_sequence_id(self) -> int: ...  # noqa: D102


class NativeSchema(Protocol):
    """A schema as the broker holds it."""

    def schema_type(self) -> NativeResult: ...  # noqa: D102
    def schema(self) -> str: ...  # noqa: D102


class NativeClient(Protocol):
    """One pool of connections with one I/O thread."""

    def subscribe_async_v2(  # noqa: D102
        self, topic: str, subscription: str, configuration: object, done: Callable[[NativeConsumer | NativeError], None]
    ) -> None: ...
    def create_producer_async_v2(  # noqa: D102
        self, topic: str, configuration: object, done: Callable[[NativeProducer | NativeError], None]
    ) -> None: ...
    def get_topic_partitions(self, topic: str) -> Sequence[str]: ...  # noqa: D102
    def get_topic_partitions_async(  # noqa: D102
        self, topic: str, done: Callable[[NativeResult, Sequence[str]], object]
    ) -> None: ...
    def get_schema_info(self, topic: str, version: int) -> NativeSchema: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


# The root of what the blocking calls raise. The client has a second one, in `pulsar.asyncio`, which cannot occur here.
PulsarException: type[Exception] = _pulsar.PulsarException
Timeout: type[Exception] = _pulsar.Timeout
AlreadyClosed: type[Exception] = _pulsar.AlreadyClosed
TopicNotFound: type[Exception] = _pulsar.TopicNotFound
RESULT_NAMES: frozenset[str] = frozenset(_pulsar.Result.__members__)
new_message: Callable[[], MessageBuilder] = _pulsar.MessageBuilder


def is_error(outcome: object) -> bool:
    """Whether an `…_async_v2` call failed."""
    return isinstance(outcome, _pulsar.Error)


def message_id(partition: int, ledger: int, entry: int, batch: int = -1) -> NativeMessageId:
    """The id of a message, by default of one that was not published in a batch.

    Good for a seek, and without `batch` for a cumulative ack (tested on a real broker).
    """
    return cast("NativeMessageId", _pulsar.MessageId(partition, ledger, entry, batch))


def connect(settings: PulsarSettings, operation_timeout: float) -> NativeClient:
    """A client; it opens connections when first used. `Refused` for a token or certificates that cannot be used.

    The log goes to a file because the client's console logger writes to standard output, and because a Python
    logger takes the interpreter's lock in the I/O thread for each line (dead locks in the client's history).
    """
    return cast("NativeClient", wrapped_client(settings, operation_timeout)._client)  # noqa: SLF001


def wrapped_client(settings: PulsarSettings, operation_timeout: float) -> pulsar.Client:
    """The Python wrapper, for what has no thread to spare nor a loop to hold up."""
    token, certs = settings.access.bearer(), settings.access.certs()
    return pulsar.Client(
        settings.service_url,
        authentication=None if token is None else pulsar.AuthenticationToken(token),
        operation_timeout_seconds=max(1, math.ceil(operation_timeout)),
        connection_timeout_ms=round(min(settings.connect_timeout, operation_timeout) * 1000),
        tls_trust_certs_file_path=certs,
        tls_validate_hostname=True,
        logger=pulsar.FileLogger(_LEVELS[settings.log_level], settings.log_file),
    )


def consumer_configuration(receiver_queue: int) -> object:
    """Exclusive, bytes, from the earliest; no ack time-out, no negative acks, no dead-letter policy."""
    configuration = _pulsar.ConsumerConfiguration()
    configuration.consumer_type(_pulsar.ConsumerType.Exclusive)
    configuration.subscription_initial_position(_pulsar.InitialPosition.Earliest)
    configuration.receiver_queue_size(receiver_queue)
    return configuration


def producer_configuration(name: str, schema: str | None, max_pending: int) -> object:
    """Unbatched and unchunked; the send time-out is ours (`producer.py` says why)."""
    configuration = _pulsar.ProducerConfiguration()
    configuration.producer_name(name)
    configuration.schema(_schema_info(schema))
    configuration.batching_enabled(False)  # noqa: FBT003
    configuration.chunking_enabled(False)  # noqa: FBT003
    configuration.send_timeout_millis(0)
    configuration.max_pending_messages(max_pending)
    configuration.block_if_queue_full(False)  # noqa: FBT003
    return configuration


def is_avro(schema: NativeSchema) -> bool:
    """Whether a schema of the broker is an Avro one."""
    return schema.schema_type().name == "AVRO"


def _schema_info(text: str | None) -> object:
    if text is None:
        return _pulsar.SchemaInfo(_pulsar.SchemaType.BYTES, "BYTES", "")
    return _pulsar.SchemaInfo(_pulsar.SchemaType.AVRO, "AVRO", text)


_LEVELS = {
    "debug": _pulsar.LoggerLevel.Debug,
    "info": _pulsar.LoggerLevel.Info,
    "warning": _pulsar.LoggerLevel.Warn,
    "error": _pulsar.LoggerLevel.Error,
}
