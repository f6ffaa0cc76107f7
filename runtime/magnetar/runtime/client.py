"""The way in from outside: send a message, or ask and get the answer that was committed."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from os import urandom
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from magnetar.runtime import envelope as wire
from magnetar.runtime.bus.port import (
    Bus,
    BusError,
    BusUnavailable,
    Opening,
    Outgoing,
    Producer,
    Refused,
    SchemaRefused,
    TopicMissing,
)
from magnetar.runtime.errors import MisuseError
from magnetar.runtime.identity import id_of, mint, to_text
from magnetar.runtime.instant import SECOND, Instant, to_iso
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import Disposition, StoreUnavailable
from magnetar.runtime.wiring import Topic, Wiring, checked_key
from magnetar.schemas import Kept, Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from magnetar.runtime.store.port import JournalRow
    from magnetar.runtime.store.views import Views
    from magnetar.schemas import Message, State

_FINAL = (Refused, SchemaRefused, TopicMissing)
ID_LIMIT = 200
"""Longest id text that a caller may give, in characters."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a message that was asked: its disposition, and the state right after it (None unless applied)."""

    disposition: str
    state: State | None
    version: int


class Moments(Protocol):
    """How a client waits: real time outside, the simulated world's inside."""

    def now(self) -> Instant:
        """The publisher's clock, in microseconds UTC."""
        ...

    def pause(self, seconds: float) -> None:
        """Let this much time pass."""
        ...


class RealMoments:
    """The system's clock."""

    def now(self) -> Instant:
        """`time.time`."""
        return time.time_ns() // 1000

    def pause(self, seconds: float) -> None:
        """`time.sleep`."""
        time.sleep(seconds)


def _pause(waited: Instant) -> float:
    """Seconds until the broker's word is looked for again: a tenth of what was waited, in microseconds.

    So an answer is seen a tenth later than it came, at most; and who waits for a silent broker takes no processor: at a
    look each 0.2 ms five of them took 74 % of one.
    """
    return min(max(0.0002, waited / SECOND / 10), 0.02)


@dataclass(slots=True)
class _Line:
    """A producer on one partition, and the last number given out on it."""

    producer: Producer
    number: int


class Client:
    """Sends an app's messages from web handlers and scripts. Thread-safe: one message or batch at a time.

    `timeout` (seconds) bounds every call; a store that does not answer may add its own patience. A call that ends in
    `BusUnavailable` may have been done: calling again with the same `id` is always right, for the actor's journal
    ignores what it knows.
    """

    def __init__(
        self,
        wiring: Wiring,
        bus: Bus,
        answers: Views | None = None,
        *,
        timeout: float = 10.0,
        moments: Moments | None = None,
        noise: Callable[[int], bytes] = urandom,
    ) -> None:
        """`answers` reads the store, for `ask`. The bus is the caller's, who closes it. `noise` mints ids."""
        self._wiring = wiring
        self._bus = bus
        self._answers = answers
        self._timeout = timeout
        self._moments = moments or RealMoments()
        self._noise = noise
        self._name = f"{wiring.app}:client:{UUID(bytes=mint(self._moments.now(), noise))}"
        self._lines: dict[tuple[str, int], _Line] = {}
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()
        self._reading = threading.Lock()  # views serve one thread at a time

    def send(self, message: Message, *, id: str | UUID | None = None) -> str:  # noqa: A002 - the caller's word for it
        """Publish a message durably; returns its id. Equal ids are one message, however often they are sent."""
        [text] = self.send_all([(message, id)])
        return text

    def publish(self, topic: Topic, event: Message, *, id: str | UUID | None = None) -> str:  # noqa: A002
        """Publish an event on `topic` in its publisher's name: for bridges and tests; actors use their context."""
        key, text = self._key(topic, event), self._id(id)
        place = (topic.name, partition_of(key, self._partitions(topic)))
        self._publish(
            {place: [self._outgoing(topic, event, key, text, asks=False)]}, {topic.name: topic.codec.schema.text}
        )
        return text

    def send_all(self, messages: Iterable[tuple[Message, str | UUID | None]]) -> list[str]:
        """Publish messages in order, without waiting for each; returns their ids when all are stored."""
        texts: list[str] = []
        batches: dict[tuple[str, int], list[Outgoing]] = {}
        schemas: dict[str, str] = {}
        for message, chosen in messages:
            topic = self._wiring.destination(None, message)
            key = self._key(topic, message)
            text = self._id(chosen)
            place = (topic.name, partition_of(key, self._partitions(topic)))
            schemas[topic.name] = topic.codec.schema.text
            batches.setdefault(place, []).append(self._outgoing(topic, message, key, text, asks=False))
            texts.append(text)
        self._publish(batches, schemas)
        return texts

    def ask(self, message: Message, *, id: str | UUID | None = None) -> Answer:  # noqa: A002 - the caller's word for it
        """Publish a message and wait until it has its disposition. Asking again with the same id gives the same answer.

        One that is parked is waited for; when the timeout comes first, that it is *parked* is the answer, and asking
        again with the same id gives the final one when there is one. The question and its answer outlive the worker
        that has them in hand, and a store that is away for a moment.
        Raises `BusUnavailable` when there is no answer within the timeout.
        """
        if self._answers is None:
            text = "this client has no store to read answers from: give it answers=views"
            raise MisuseError(text)
        topic, text = self._wiring.destination(None, message), self._id(id)
        key = self._key(topic, message)
        place = (topic.name, partition_of(key, self._partitions(topic)))
        outgoing = self._outgoing(topic, message, key, text, asks=True)
        self._publish({place: [outgoing]}, {topic.name: topic.codec.schema.text})
        return self._await(self._answers, topic.takers[0], id_of(text))

    def close(self) -> None:
        """Close the producers."""
        with self._lock:
            for line in self._lines.values():
                line.producer.close()
            self._lines.clear()

    def _key(self, topic: Topic, message: Message) -> str:
        getter = topic.kinds[type(message)].key
        if getter is None:
            text = f"{type(message).__name__} has no key; mark the field that names its entity: `order_id: Key`"
            raise MisuseError(text)
        return checked_key(getter(message), type(message).__name__)

    def _id(self, chosen: str | UUID | None) -> str:
        if chosen is None:
            return to_text(mint(self._moments.now(), self._noise))
        text = str(chosen)
        if not 0 < len(text) <= ID_LIMIT or not text.isprintable():
            message = f"the id {text!r:.80} must be 1 to {ID_LIMIT} printable characters"
            raise MisuseError(message)
        return text

    def _outgoing(self, topic: Topic, message: Message, key: str, text: str, *, asks: bool) -> Outgoing:
        properties = {
            wire.MESSAGE_ID: text,
            wire.TYPE: topic.kinds[type(message)].name,
            wire.SCHEMA: topic.codec.schema.fingerprint,
            wire.CORRELATION_ID: text,
            wire.OCCURRED_AT: to_iso(self._moments.now()),
            wire.SENDER: self._name,
        }
        if asks:
            properties[wire.ASKS] = "1"
        return Outgoing(key, topic.codec.encode(message), properties)

    def _partitions(self, topic: Topic) -> int:
        if topic.partitions is not None:
            return topic.partitions
        return self._counts.setdefault(topic.name, self._bus.partitions(topic.name))

    def _publish(self, batches: dict[tuple[str, int], list[Outgoing]], schemas: dict[str, str]) -> None:
        deadline = self._moments.now() + round(self._timeout * SECOND)
        with self._lock:
            lines = {place: self._line(place, schemas[place[0]], deadline) for place in batches}
            first = {place: line.number + 1 for place, line in lines.items()}
            for place, batch in batches.items():
                self._start(lines[place], batch)
            for place, batch in batches.items():
                self._finish(place, batch, first[place], schemas[place[0]], deadline)

    def _line(self, place: tuple[str, int], schema: str, deadline: Instant) -> _Line:
        found = self._lines.get(place)
        if found is None:
            producer = self._open(place, schema, deadline)
            found = self._lines[place] = _Line(producer, producer.last_number)
        return found

    def _open(self, place: tuple[str, int], schema: str, deadline: Instant) -> Producer:
        error: BusError | None = None
        opening: Opening[Producer] | None = None
        begun = self._moments.now()
        while (now := self._moments.now()) < deadline:
            try:
                opening = opening or self._bus.produce(*place, self._name, schema)
                producer = opening.poll()
            except _FINAL:
                raise
            except BusError as failed:
                error, opening, producer = failed, None, None
            if producer is not None:
                return producer
            self._moments.pause(_pause(now - begun))
        if opening is not None:
            opening.abandon()
        message = f"no producer on {place[0]}/{place[1]} within {self._timeout} s; nothing more was sent"
        raise BusUnavailable(message) from error

    def _start(self, line: _Line, batch: list[Outgoing]) -> None:
        for outgoing in batch:
            line.producer.send(line.number + 1, outgoing)
            line.number += 1

    def _finish(
        self, place: tuple[str, int], batch: list[Outgoing], first: int, schema: str, deadline: Instant
    ) -> None:
        """Wait for every receipt.

        Whatever failed goes again from the lowest, with the same numbers, until the deadline.
        """
        line, waiting, failed, begun = self._lines[place], len(batch), None, self._moments.now()
        pending = dict(enumerate(batch, first))
        while pending:
            for receipt in line.producer.receipts():
                waiting -= 1
                if receipt.error is None:
                    pending.pop(receipt.number, None)
                elif isinstance(receipt.error, _FINAL):
                    raise receipt.error
                else:
                    failed = receipt.error
            if not pending:
                return
            now = self._moments.now()
            if now >= deadline:
                self._lines.pop(place).producer.close()
                message = (
                    f"no receipt for {len(pending)} message(s) on {place[0]}/{place[1]} within "
                    f"{self._timeout} s; send them again with the same ids"
                )
                raise BusUnavailable(message) from failed
            if failed is not None and waiting == 0:
                line = self._again(place, schema, pending, deadline)
                waiting, failed = len(pending), None
            self._moments.pause(_pause(now - begun))

    def _again(self, place: tuple[str, int], schema: str, pending: dict[int, Outgoing], deadline: Instant) -> _Line:
        self._lines[place].producer.close()
        line = self._lines[place] = _Line(self._open(place, schema, deadline), max(pending))
        for number in sorted(pending):
            line.producer.send(number, pending[number])
        return line

    def _await(self, answers: Views, actor: str, message_id: bytes) -> Answer:
        deadline = self._moments.now() + round(self._timeout * SECOND)
        wait, failed, parked = 0.001, None, None
        while self._moments.now() < deadline:
            try:
                row = self._look(answers, actor, message_id, deadline)
                if row is not None and row.disposition != Disposition.PARKED:
                    return self._answer(answers, actor, row)
            except StoreUnavailable as error:
                row, failed = None, error
            parked = row or parked
            self._moments.pause(wait)
            wait = min(0.05, wait * 1.5)
        if parked is not None:
            return self._answer(answers, actor, parked)
        message = (
            f"message {to_text(message_id)} has no disposition within {self._timeout} s; ask again with the same id"
        )
        raise BusUnavailable(message) from failed

    def _answer(self, answers: Views, actor: str, row: JournalRow) -> Answer:
        """The state that was answered may be of another release's schema."""
        if row.answer is None:
            return Answer(row.disposition, None, row.version)
        codec, written = self._wiring.actors[actor].codec, row.answer_schema
        writer = codec.schema
        if written is not None and written != writer.fingerprint:
            with self._reading:
                writer = Schema.parse(answers.schemas()[written])
        return Answer(row.disposition, codec.decode(row.answer, writer, Kept(actor, row.key)), row.version)

    def _look(self, answers: Views, actor: str, message_id: bytes, deadline: Instant) -> JournalRow | None:
        """One look at the journal, when no other thread is at it."""
        if not self._reading.acquire(timeout=max(0, deadline - self._moments.now()) / SECOND):
            return None
        try:
            return answers.entry(actor, message_id)
        finally:
            self._reading.release()
