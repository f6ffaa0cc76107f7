"""The customers, as a thread: they order when they mean to, whatever becomes of the orders (an open loop)."""

from __future__ import annotations

import threading
import time
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Protocol

from magnetar.chaos.takeover.load import Published
from magnetar.runtime import Client
from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.errors import MagnetarError
from magnetar.runtime.instant import SECOND, Instant
from magnetar.runtime.routing import partition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from magnetar.chaos.takeover.reading import Readable
    from magnetar.runtime.bus.port import Bus
    from magnetar.schemas import Message

_TICK = 0.02
"""What falls due within so many seconds is published together."""
_PATIENCE = 10.0


class Stalled(MagnetarError):
    """What was to be sent could not be, or what was sent did not come to rest; the message says how far it came."""


class Due(Protocol):
    """What a customer sends: when (seconds from the start), under which id, and what."""

    @property
    def at(self) -> float: ...  # noqa: D102 - see above
    @property
    def message_id(self) -> str: ...  # noqa: D102 - see above
    @property
    def message(self) -> Message: ...  # noqa: D102 - see above


class Customers(threading.Thread):
    """Publishes every letter at its time, from `began` on, by this machine's clock; `failure`: why it has given up.

    Before it starts one may say `place`, a block in which it publishes, for how many seconds it has `patience`, and
    whether it `renews` its connections when that is over: who asks a frozen broker would ask it for ever.
    """

    def __init__(self, ground: Readable, letters: Sequence[Due]) -> None:
        """`letters` by time."""
        super().__init__(name="customers", daemon=True)
        self._ground = ground
        self._letters = letters
        self._stopped, self._ending = threading.Event(), threading.Event()
        self._bus: Bus
        self.place: Callable[[], AbstractContextManager[None]] = nullcontext
        self.patience = _PATIENCE
        self.renews = False
        self.began: Instant = 0
        self.published: list[Published] = []
        self.failure: Exception | None = None

    def run(self) -> None:
        """Until all is published, or until told to stop."""
        try:
            with self.place(), closing(self._ground.bus.connect("customers")) as bus:
                self._bus = bus
                self._publish_all(self._client())
        except Exception as error:  # noqa: BLE001 - told by whoever joins
            self.failure = error

    def stop(self) -> None:
        """No more, whatever is in hand."""
        self._stopped.set()

    def end(self) -> None:
        """No more than what is in hand, which is sent until it is confirmed."""
        self._ending.set()

    def check(self) -> None:
        """Raises `Stalled` when they have given up."""
        if self.failure is not None:
            message = f"the customers gave up after {len(self.published)} messages: {self.failure}"
            raise Stalled(message) from self.failure

    def wait_until(self, seconds: float) -> None:
        """To so many seconds after the first message. Raises `Stalled` when they have given up."""
        while self.failure is None and (left := self._left(seconds)) > 0:
            time.sleep(min(left, 0.1))
        self.check()

    def _left(self, seconds: float) -> float:
        return seconds if not self.began else self.began / SECOND + seconds - time.time()

    def _client(self) -> Client:
        return Client(self._ground.wiring, self._bus, timeout=self.patience)

    def _after_silence(self, client: Client) -> Client:
        """The client to go on with when nothing was heard of what was sent."""
        if not self.renews:
            return client
        client.close()
        self._bus.renew()
        return self._client()

    def _publish_all(self, client: Client) -> None:
        self.began, done = self.began or _now(), 0
        while done < len(self._letters) and not (self._ending.is_set() or self._stopped.wait(_TICK)):
            elapsed = (_now() - self.began) / SECOND
            due = done
            while due < len(self._letters) and self._letters[due].at <= elapsed:
                due += 1
            if due > done:
                client = self._publish(client, self._letters[done:due])
            done = due

    def _publish(self, client: Client, batch: Sequence[Due]) -> Client:
        handed, tries = _now(), 1
        while True:
            try:
                client.send_all([(letter.message, letter.message_id) for letter in batch])
                break
            except BusUnavailable:
                if self._stopped.is_set():
                    raise
                client, tries = self._after_silence(client), tries + 1
        confirmed = _now()
        self.published += [self._published(letter, handed, confirmed, tries) for letter in batch]
        return client

    def _published(self, letter: Due, handed: Instant, confirmed: Instant, tries: int) -> Published:
        meant = self.began + round(letter.at * SECOND)
        topic = self._ground.wiring.destination(None, letter.message)
        key_of = topic.kinds[type(letter.message)].key
        assert key_of is not None, f"{letter.message} has a key: it is a command"
        key = key_of(letter.message)
        partition = partition_of(key, topic.partitions or 1)
        return Published(letter.message_id, topic.name, partition, key, meant, handed, confirmed, tries)


def _now() -> Instant:
    return time.time_ns() // 1000
