"""What lives through a reload: a broker and a store in this process, and whatever code runs on them at the moment."""

from __future__ import annotations

import contextlib
import queue
import time
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.cli.apps import message_of, wiring_of
from magnetar.runtime.cli.exits import BadInput
from magnetar.runtime.cli.options import MEMORY
from magnetar.runtime.cli.sending import destination, key_of, publish
from magnetar.runtime.client import Client
from magnetar.runtime.compose.places import EmbeddedBus, bus_place, provision_embedded
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.errors import PermanentError, TemporaryError
from magnetar.runtime.operate.decoding import Content, Decoding
from magnetar.runtime.operate.keys import Happening, happening
from magnetar.runtime.worker.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from magnetar.runtime.compose.places import StorePlace
    from magnetar.runtime.errors import HandlerFailed
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardChanges
    from magnetar.runtime.store.views import Views
    from magnetar.runtime.wiring import Wiring

_DRAIN = 5.0
_POLL = 0.02


class News(msgspec.Struct, frozen=True):
    """One message that was applied, parked or given up.

    `state` is the key's after the group, with its last message; else None.
    """

    actor: str
    key: str
    message: Happening
    state: Content | None


class Sent(msgspec.Struct, frozen=True):
    """A message that was published."""

    id: str
    type: str
    topic: str
    key: str


class _Ear(Observer):
    """Hears of commits in the loop's thread, and keeps them for whoever prints."""

    def __init__(self) -> None:
        self.groups: queue.SimpleQueue[Sequence[ShardChanges]] = queue.SimpleQueue()

    def committed(self, group: Sequence[ShardChanges], at: Instant) -> None:  # noqa: ARG002 - the hook's signature
        self.groups.put(tuple(group))

    def failing(self, error: HandlerFailed) -> None:
        """A bug is mended here and now, so it is not parked: the worker ends, and the message is not taken."""
        if not isinstance(error.__cause__, TemporaryError | PermanentError):
            raise error from error.__cause__


class Session:
    """One broker and one store, and a worker on them that comes and goes with the code. Used by one thread.

    What was published and not applied when a worker goes is applied by the next: also the message on which a handler
    raised. It ends with the process, for the broker is in its memory.
    """

    def __init__(self, target: str, store: StorePlace) -> None:
        """Nothing runs yet."""
        place = bus_place(MEMORY, "dev")
        assert isinstance(place, EmbeddedBus)
        self._target = target
        self._bus = place
        self._store = store
        self._ear = _Ear()
        self._decoding = Decoding({})
        self._worker: RunningWorker | None = None
        self._client: Client | None = None
        self.wiring: Wiring | None = None

    def start(self) -> Wiring:
        """Import the app and run it. Raises whatever is wrong with it; then nothing runs."""
        self.wiring = None
        wiring = wiring_of(self._target)
        provision_embedded(self._bus.broker, wiring)
        worker = RunningWorker(wiring, self._bus, self._store, owner="dev", observer=self._ear)
        with self.views() as views:
            self._decoding = Decoding(views.schemas())
        worker.start()
        self._client = Client(wiring, self._bus.connect("dev input"))
        self._worker, self.wiring = worker, wiring
        return wiring

    def stop(self) -> None:
        """Let the worker release its shards, or drop it if it has failed. Raises `WorkerFailed` if it does not end."""
        worker, self._worker = self._worker, None
        if self._client is not None:
            self._client.close()
            self._client = None
        if worker is None:
            return
        if worker.failure is None:
            worker.drain(_DRAIN)
        else:
            worker.kill()

    def failure(self) -> BaseException | None:
        """What has ended the worker since the last call; it is not told twice."""
        failed = None if self._worker is None else self._worker.failure
        if failed is not None and self._worker is not None:
            self._worker.kill()
            self._worker = None
        return failed

    @property
    def running(self) -> bool:
        """Whether a worker runs."""
        return self._worker is not None

    def send(self, type_: str, json: str) -> Sent:
        """Publish a message. Raises `BadInput` for one that cannot be, or when the app's code is broken."""
        if self.wiring is None or self._client is None:
            raise BadInput("there is no app to send to: mend its code first")
        message = message_of(self.wiring, type_, json)
        topic = destination(self.wiring, message)
        text = publish(self._client, topic, message, None)
        return Sent(text, topic.kinds[type(message)].name, topic.name, key_of(topic, message))

    def news(self) -> list[News]:
        """What was committed since the last call."""
        found: list[News] = []
        while True:
            try:
                group = self._ear.groups.get_nowait()
            except queue.Empty:
                return found
            for changes in group:
                found += self._told(changes)

    @contextlib.contextmanager
    def views(self) -> Generator[Views]:
        """A reader of the store."""
        views = self._store.views()
        try:
            yield views
        finally:
            views.close()

    def rest(self, seconds: float) -> bool:
        """Wait until nothing is left to do at present; False if the worker fails meanwhile, or it takes longer."""
        until = time.monotonic() + seconds
        while self._worker is not None and self._worker.failure is None and time.monotonic() < until:
            before = self._published()
            # What was published before is applied, and what that has sent is published: all of it before.
            if not self.backlog() and not self._unsent() and self._published() == before:
                return True
            time.sleep(_POLL)
        return False

    def backlog(self) -> int:
        """How many messages are published and not acknowledged, counted for each actor that takes them."""
        if self.wiring is None:
            return 0
        return sum(
            self._bus.broker.backlog(topic.name, partition, subscription)
            for topic in self.wiring.topics.values()
            for subscription in topic.subscriptions
            for partition in range(topic.partitions or 1)
        )

    def _published(self) -> int:
        topics = [] if self.wiring is None else list(self.wiring.topics.values())
        return sum(
            len(self._bus.broker.log(topic.name, part)) for topic in topics for part in range(topic.partitions or 1)
        )

    def _unsent(self) -> bool:
        with self.views() as views:
            return any(views.unsent_of(actor) for actor in (self.wiring.actors if self.wiring else ()))

    def _told(self, changes: ShardChanges) -> list[News]:
        rows = [*changes.journal, *(() if changes.parking is None else changes.parking.settled)]
        last = {row.key: row.message_id for row in rows}
        states = {write.row.key: self._decoding.read(write.row.body, write.row.schema) for write in changes.states}
        return [
            News(
                row.actor,
                row.key,
                happening(self._decoding, row, frozenset()),
                states.get(row.key) if last[row.key] == row.message_id else None,
            )
            for row in rows
        ]
