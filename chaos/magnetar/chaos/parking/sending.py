"""The customers, as a thread: they order when they mean to, whatever becomes of the orders (an open loop)."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

from magnetar.chaos.takeover.load import Published
from magnetar.runtime import Client
from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.instant import SECOND, Instant
from magnetar.runtime.routing import partition_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.parking.ground import Ground
    from magnetar.chaos.parking.plan import Letter

_TICK = 0.02
"""What falls due within so many seconds is published together."""
_PATIENCE = 10.0


class Customers(threading.Thread):
    """Publishes every letter at its time, from `began` on, by this machine's clock; `failure`: why it has given up."""

    def __init__(self, ground: Ground, letters: Sequence[Letter]) -> None:
        """`letters` by time."""
        super().__init__(name="customers", daemon=True)
        self._ground = ground
        self._letters = letters
        self._partitions = ground.wiring.actors["desks"].policy.partitions
        self._stopped = threading.Event()
        self.began: Instant = 0
        self.published: list[Published] = []
        self.failure: Exception | None = None

    def run(self) -> None:
        """Until all is published, or until told to stop."""
        try:
            with closing(self._ground.bus.connect("customers")) as bus:
                self._publish_all(Client(self._ground.wiring, bus, timeout=_PATIENCE))
        except Exception as error:  # noqa: BLE001 - told by whoever joins
            self.failure = error

    def stop(self) -> None:
        """No more."""
        self._stopped.set()

    def _publish_all(self, client: Client) -> None:
        self.began, done = _now(), 0
        while done < len(self._letters) and not self._stopped.wait(_TICK):
            elapsed = (_now() - self.began) / SECOND
            due = done
            while due < len(self._letters) and self._letters[due].at <= elapsed:
                due += 1
            if due > done:
                self._publish(client, self._letters[done:due])
            done = due

    def _publish(self, client: Client, batch: Sequence[Letter]) -> None:
        handed, tries = _now(), 1
        while True:
            try:
                client.send_all([(letter.note, letter.message_id) for letter in batch])
                break
            except BusUnavailable:
                if self._stopped.is_set():
                    raise
                tries += 1
        confirmed = _now()
        self.published += [self._published(letter, handed, confirmed, tries) for letter in batch]

    def _published(self, letter: Letter, handed: Instant, confirmed: Instant, tries: int) -> Published:
        meant = self.began + round(letter.at * SECOND)
        key = letter.note.desk
        partition = partition_of(key, self._partitions)
        return Published(letter.message_id, "desks", partition, key, meant, handed, confirmed, tries)


def _now() -> Instant:
    return time.time_ns() // 1000
