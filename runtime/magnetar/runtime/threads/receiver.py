"""A receiver: the thread that waits for one partition's messages and hands them to the loop as lists (R21)."""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusError, Closed
from magnetar.runtime.threads.naming import RECEIVER, show_as
from magnetar.runtime.worker.intake import Backlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.port import Consumer, Delivery, Position
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.threads.asking import Asking

_log = logging.getLogger("magnetar.receiver")


class Receiver:
    """A `Source` with a thread. It stops receiving while `bound` deliveries wait: the broker holds the rest.

    The loop calls all but the thread's own part. The thread is a daemon that ends at `leave`, or when its consumer is
    closed under it.
    """

    def __init__(
        self, consumer: Consumer, wake: Callable[[], None], asking: Asking, *, bound: int = 1000, wait: float = 0.5
    ) -> None:
        """`wake` is called after each hand-over; `wait` is the longest single receive in seconds."""
        self._consumer = consumer
        self._wake = wake
        self._asking = asking
        self._bound = bound
        self._wait = wait
        self._lists: deque[list[Delivery]] = deque()
        self._waiting = 0
        self._room = threading.Condition()
        self._closing = False
        self._failed: BaseException | None = None
        self._asked: Instant | None = None
        self._end: tuple[Instant, Position | None] | None = None
        self._thread = threading.Thread(target=self._run, name="magnetar-receiver", daemon=True)
        self._thread.start()

    def take(self, limit: int) -> list[Delivery]:
        """What has been handed over, up to `limit`. Never blocks. Raises what ended the thread, if anything did."""
        if not self._lists:
            if self._failed is not None:
                raise self._failed
            return []
        taken: list[Delivery] = []
        while self._lists and len(taken) < limit:
            first = self._lists[0]
            room = limit - len(taken)
            if len(first) <= room:
                taken.extend(self._lists.popleft())
            else:
                taken.extend(first[:room])
                self._lists[0] = first[room:]
        with self._room:
            self._waiting -= len(taken)
            self._room.notify()
        return taken

    def drained(self, since: Instant, now: Instant, applied: Position | None) -> bool:
        """Ask the broker, in another thread, where the partition ends.

        Answers only count if asked at or after `since`.
        """
        if self._end is not None and self._end[0] >= since:
            end = self._end[1]
            if end is None or (applied is not None and end <= applied):
                return True
        if self._asked is None and now >= since:
            self._asked = now
            self._asking.ask(self._ask_end)
        return False

    def acknowledge(self, position: Position) -> None:
        """Pass on; the client's call does not block."""
        self._consumer.acknowledge(position)

    def connected(self) -> bool:
        """What the client believes."""
        return self._consumer.connected()

    def backlog(self) -> Backlog:
        """What has been handed over and not taken. Any thread."""
        with suppress(IndexError):  # the loop takes it meanwhile
            return Backlog(self._waiting, self._lists[0][0].published_at)
        return Backlog(0, None)

    def leave(self) -> None:
        """Begin to stop, and to give the subscription back."""
        with self._room:
            self._closing = True
            self._room.notify()
        self._consumer.leave()

    def close(self) -> None:
        """Stop, and give the subscription back. Waits for the thread, at most a little more than one receive."""
        self.leave()
        self._consumer.close()
        self._thread.join(self._wait + 1.0)
        self._lists.clear()

    def _ask_end(self) -> None:
        """In the asking thread."""
        asked = self._asked
        try:
            if asked is not None and not self._closing:
                self._end = (asked, self._consumer.end())
        except BusError as error:
            _log.debug("asking for the end of a partition: %s", error)
        finally:
            self._asked = None
            self._wake()

    def _run(self) -> None:
        show_as(RECEIVER)
        try:
            while not self._closing:
                self._receive()
        except Closed as error:
            if not self._closing:
                self._failed = error
        except Exception as error:  # noqa: BLE001 - handed to the loop, which stops the worker
            self._failed = error
        finally:
            self._wake()

    def _receive(self) -> None:
        with self._room:
            self._room.wait_for(lambda: self._closing or self._waiting < self._bound, self._wait)
            room = 0 if self._closing else self._bound - self._waiting
        if room <= 0:
            return
        deliveries = self._consumer.receive(room, self._wait)
        if deliveries:
            with self._room:
                self._waiting += len(deliveries)
            self._lists.append(deliveries)
            self._wake()
