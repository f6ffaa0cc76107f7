"""Reading a partition from its first message, beside every subscription: for oracles and tools, not for the engine."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import pulsar

from magnetar.runtime.bus.port import Delivery, Position
from magnetar.runtime.bus.pulsar import errors, native

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.bus.pulsar.settings import PulsarSettings

_MILLIS = 1000


def read_log(settings: PulsarSettings, topic: str, partition: int) -> list[Delivery]:
    """Every message that the broker still keeps of a partition, oldest first. Blocks; raises `BusError`."""
    name = settings.partition(topic, partition)
    client = native.wrapped_client(settings, settings.operation_timeout)
    try:
        reader = client.create_reader(name, pulsar.MessageId.earliest)
        return list(_rest(reader, topic, partition, settings.operation_timeout))
    except pulsar.PulsarException as failure:
        raise errors.from_exception(failure, f"read {name} from its beginning") from failure
    finally:
        client.close()


def _rest(reader: pulsar.Reader, topic: str, partition: int, patience: float) -> Iterator[Delivery]:
    while reader.has_message_available():
        message = reader.read_next(round(patience * _MILLIS))
        place = message.message_id()
        yield Delivery(
            topic=topic,
            partition=partition,
            position=Position(place.ledger_id(), place.entry_id(), place.batch_index()),
            key=message.partition_key() or None,
            body=message.data(),
            properties=message.properties(),
            published_at=message.publish_timestamp() * _MILLIS,
            schema_version=None,
        )
