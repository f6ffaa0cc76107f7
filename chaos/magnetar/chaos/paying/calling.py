"""The provider's callbacks, as a thread: its log is read while it grows, and the shop is told of it, more or less."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from magnetar.actors.providing.emulator.log import read_log
from magnetar.chaos.parking.sending import Customers
from magnetar.chaos.paying.plan import callbacks
from magnetar.runtime.instant import SECOND

if TYPE_CHECKING:
    from pathlib import Path

    from magnetar.chaos.paying.plan import Letter
    from magnetar.chaos.takeover.reading import Readable
    from magnetar.runtime import Client

_LOOK = 0.3


class Callbacks(Customers):
    """Tells the shop what the provider has done, until it is told to finish."""

    def __init__(self, ground: Readable, log: Path, seed: int, seen: int = 0) -> None:
        """`log`: the provider's, of which the first `seen` entries are told already."""
        super().__init__(ground, [])
        self._log, self._seed, self._seen = log, seed, seen
        self._finishing = threading.Event()

    def finish(self) -> None:
        """Tell at once what is still to be told; returns when that is done."""
        self._finishing.set()
        self.join()

    def _publish_all(self, client: Client) -> None:
        self.began, seen, done = self.began or time.time_ns() // 1000, self._seen, False
        waiting: list[Letter] = []
        while not done and not self._stopped.is_set():
            done = self._finishing.wait(_LOOK)
            elapsed = time.time() - self.began / SECOND
            entries = read_log(self._log)
            waiting += [letter for entry in entries[seen:] for letter in callbacks(entry, elapsed, self._seed)]
            seen = len(entries)
            due = [replace(each, at=min(each.at, elapsed)) for each in waiting if done or each.at <= elapsed]
            waiting = [each for each in waiting if each.at > elapsed]
            if due:
                client = self._publish(client, due)
