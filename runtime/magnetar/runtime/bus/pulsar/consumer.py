"""The Exclusive subscription on one partition."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import EARLIEST, Delivery, Position, Refused
from magnetar.runtime.bus.pulsar import errors, native
from magnetar.runtime.bus.pulsar.seeking import PulsarSeek

if TYPE_CHECKING:
    from collections.abc import Mapping
    from queue import SimpleQueue

    from magnetar.runtime.bus.pulsar.closing import Farewell
    from magnetar.runtime.bus.pulsar.marks import Marking
    from magnetar.runtime.bus.pulsar.native import NativeConsumer, NativeMessage, NativeMessageId, NativeResult
    from magnetar.runtime.bus.pulsar.probing import Doubt

_log = logging.getLogger(__name__)

_MICROS = 1000  # the broker's times are milliseconds
_NOTHING: Mapping[str, str] = {}


class PulsarConsumer:
    """See `Consumer`.

    A consumer that lost its connection comes back by itself, and from the last acknowledged message; one whose
    reconnect is refused because another worker has the partition goes on trying in silence, and `connected` stays
    false. So a consumer that is not connected for long must be closed, not waited for (R13, R32).
    """

    def __init__(
        self,
        consumer: NativeConsumer,
        marking: Marking,
        *,
        topic: str,
        partition: int,
        farewell: Farewell,
        patience: float,
        doubt: Doubt | None = None,
    ) -> None:
        """`marking`: how far it is acknowledged; `patience`: seconds after which the client's seek is given up.

        `doubt`: knows better than the client whether there is a connection, if anybody does.
        """
        self._consumer = consumer
        self._marking = marking
        self._patience = patience
        self._doubt = doubt
        self._topic = topic
        self._partition = partition
        self._farewell = farewell
        self._closed = False
        self._closing: SimpleQueue[NativeResult] | None = None
        self._newest: dict[NativeResult, NativeMessageId] | None = None
        self._batched: deque[tuple[Position, NativeMessageId]] = deque()

    def receive(self, limit: int, wait: float) -> list[Delivery]:
        """Up to `limit` messages; one thread. Raises `Closed`.

        The first may be waited for; the rest are taken while they are there, because `batch_receive` would wait
        its whole time-out whenever traffic is thin.
        """
        deliveries: list[Delivery] = []
        milliseconds = round(wait * 1000)
        try:
            while len(deliveries) < limit:
                deliveries.append(self._delivery(self._consumer.receive(milliseconds)))
                milliseconds = 0
        except native.Timeout:
            pass
        except native.PulsarException as failure:
            if not deliveries:
                raise errors.from_exception(failure, f"receive from {self._name}") from failure
        return deliveries

    def acknowledge(self, position: Position) -> None:
        """Acknowledge everything up to and including `position`: cumulative, grouped by the client for 100 ms.

        It succeeds without a connection, too, and is then lost. So whatever else the client says of one is no more than
        a word in the log: its messages come again, and the journal knows them (R10). Any thread; never blocks.
        """
        message_id = self._acknowledged(position)
        try:
            self._consumer.acknowledge_cumulative(message_id)
        except native.AlreadyClosed:
            _log.debug("ack of %s lost: the consumer of %s is closed", position, self._name)
        except native.PulsarException as failure:
            _log.warning("ack of %s on %s lost: %s", position, self._name, failure)

    def end(self) -> Position | None:
        """The last message's position, or None. Blocks up to the operation time-out; `BusUnavailable`, `Closed`."""
        try:
            last = self._consumer.get_last_message_id()
        except native.PulsarException as failure:
            raise errors.from_exception(failure, f"ask for the end of {self._name}") from failure
        return _last(last)

    def newest(self) -> Position | None:
        """As the port says. The answer is put into a dictionary, in C: see `native`. The loop's thread."""
        if self._newest is None:
            self._newest = {}
            self._consumer.get_last_message_id_async(self._newest.setdefault)
        said = next(iter(list(self._newest.items())), None)  # the client's thread adds to it meanwhile
        if said is None or said[0].name != "Ok":
            return None
        return _last(said[1]) or EARLIEST

    def cursor(self) -> Position | None:
        """As the port says, by the word of the REST API. The loop's thread."""
        mark = self._marking.poll()
        return None if mark is None else mark.acknowledged or EARLIEST

    def seek(self, position: Position) -> PulsarSeek:
        """Put the subscription back; whether the broker still keeps the ledger is known where the mark is."""
        doing = f"put the subscription on {self._name} back to {position}"
        refusal = self._refusal(position, doing)
        seek = PulsarSeek(self, position, doing, self._patience, refusal)
        if refusal is None:
            self._batched.clear()
            message_id = native.message_id(self._partition, *position)
            self._consumer.seek_async(message_id, seek.answer.put)
        return seek

    def connected(self) -> bool:
        """Whether the client believes that it is connected, and the broker does not deny it by silence (R32).

        Any thread; never blocks.
        """
        if self._closed or not self._consumer.is_connected():
            return False
        return self._doubt is None or not self._doubt.holds()

    def leave(self) -> None:
        """Begin to give the subscription back; never blocks. From here on `receive` raises `Closed`."""
        if not self._closed:
            self._closed = True
            self._closing = self._farewell.begin(self._consumer)

    def close(self) -> None:
        """Give the subscription back; waits for the broker's answer up to the close time-out.

        Pending acks are sent first. Without an answer the broker frees the partition when the next worker asks
        for it; this object delivers nothing more in either case.
        """
        self.leave()
        closing, self._closing = self._closing, None
        if closing is not None and not self._farewell.finish(closing):
            _log.warning("closing the consumer of %s: no answer from the broker", self._name)

    @property
    def _name(self) -> str:
        return f"{self._topic}/{self._partition}"

    def _refusal(self, position: Position, doing: str) -> Refused | None:
        mark = self._marking.poll()
        if mark is None or position == EARLIEST or position.ledger in mark.ledgers:
            return None
        said = f"the broker does not keep ledger {position.ledger}, and what came after may be gone"
        return Refused(f"{doing}: {said}; keep messages for longer (retention) than backups are old")

    def _delivery(self, message: NativeMessage) -> Delivery:
        message_id = message.message_id()
        position = _position(message_id)
        if position.batch >= 0:
            self._batched.append((position, message_id))
        version = message.int_schema_version()
        key, properties = self._readable(message, position)
        return Delivery(
            topic=self._topic,
            partition=self._partition,
            position=position,
            key=key or None,
            body=message.data(),
            properties=properties,
            published_at=message.publish_timestamp() * _MICROS,
            schema_version=version if version >= 0 else None,
        )

    def _readable(self, message: NativeMessage, position: Position) -> tuple[str, Mapping[str, str]]:
        # A foreign producer may put any bytes there, and the client decodes them only now. Such a message must come
        # through, as one without key and properties: an exception here would come again with every delivery.
        try:
            return message.partition_key(), message.properties()
        except UnicodeDecodeError:
            _log.warning("%s %s: key or properties are not UTF-8 and are left out", self._name, position)
            return "", _NOTHING

    def _acknowledged(self, position: Position) -> NativeMessageId:
        """The client's id for a position; a batched message needs the very one it came with.

        A rebuilt id of a batched message acknowledges its whole entry, also the members that come after it.
        """
        found: NativeMessageId | None = None
        while self._batched and self._batched[0][0] <= position:
            at, message_id = self._batched.popleft()
            found = message_id if at == position else None
        if found is not None:
            return found
        entry = position.entry if position.batch < 0 else position.entry - 1
        return native.message_id(self._partition, position.ledger, entry)


def _last(message_id: NativeMessageId) -> Position | None:
    """None where the broker names none: the partition holds no message."""
    return None if message_id.entry_id() < 0 else _position(message_id)


def _position(message_id: NativeMessageId) -> Position:
    return Position(message_id.ledger_id(), message_id.entry_id(), message_id.batch_index())
