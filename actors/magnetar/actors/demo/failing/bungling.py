"""A customer whose program has a bug: it sends only a piece of what it means."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from magnetar.actors.demo.ground import LIFE, DemoFailed
from magnetar.runtime import envelope
from magnetar.runtime.bus.port import Outgoing
from magnetar.runtime.instant import to_iso
from magnetar.runtime.routing import partition_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.port import Bus
    from magnetar.runtime.wiring import Wiring
    from magnetar.schemas.commerce import Place

T = TypeVar("T")
_POLL = 0.002


class Bungler:
    """Publishes the beginning of a message's bytes, under the properties of the whole."""

    def __init__(self, wiring: Wiring, bus: Bus) -> None:
        """The bus is the caller's."""
        self._wiring, self._bus = wiring, bus

    def send(self, message: Place, message_id: str) -> None:
        """Blocks until it is stored. Raises `DemoFailed` when that takes too long, and what the bus raises."""
        topic = self._wiring.destination(None, message)
        partition = partition_of(message.order_id, topic.partitions or 1)
        properties = {
            envelope.MESSAGE_ID: message_id,
            envelope.TYPE: topic.kinds[type(message)].name,
            envelope.SCHEMA: topic.codec.schema.fingerprint,
            envelope.CORRELATION_ID: message_id,
            envelope.OCCURRED_AT: to_iso(time.time_ns() // 1000),
        }
        piece = Outgoing(message.order_id, topic.codec.encode(message)[:3], properties)
        opening = self._bus.produce(topic.name, partition, f"bungler:{message_id}", topic.codec.schema.text)
        with closing(_awaited(opening.poll)) as producer:
            producer.send(producer.last_number + 1, piece)
            for receipt in _awaited(producer.receipts):
                if receipt.error is not None:
                    raise receipt.error


def _awaited(look: Callable[[], T | None]) -> T:
    """What it comes to."""
    deadline = time.monotonic() + LIFE
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(_POLL)
    message = f"the broker did not take a message within {LIFE} s"
    raise DemoFailed(message)
