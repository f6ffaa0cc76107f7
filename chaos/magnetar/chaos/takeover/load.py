"""The customers, as a process: they order at a steady rate, whatever becomes of the orders (an open loop).

`python -m magnetar.chaos.takeover.load BUS RECORD SEED PARTITIONS` reads wishes as JSON from its standard input, one a
line, and answers each with a line. What it published is in RECORD, one JSON object a line: also when it meant to, which
is what counts.
"""

from __future__ import annotations

import heapq
import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, TYPE_CHECKING

import msgspec

from magnetar.actors.shop import SHOP
from magnetar.chaos.takeover.plan import Customers, Wish, stocked
from magnetar.runtime import Client
from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.compose.places import bus_place
from magnetar.runtime.instant import SECOND, Instant

if TYPE_CHECKING:
    from magnetar.runtime.wiring import Wiring

TICK = 0.02
"""What falls due within so many seconds is published together."""
_PATIENCE = 10.0


class Published(msgspec.Struct, frozen=True):
    """A message that the broker has confirmed: when it was meant to be handed over, was, and was confirmed.

    `tries` above 1: an answer did not come, and it was published again under the same id.
    """

    message_id: str
    topic: str
    partition: int
    key: str
    meant: Instant
    handed: Instant
    confirmed: Instant
    tries: int


class Said(msgspec.Struct, omit_defaults=True):
    """What the customers are told.

    `rate`: orders a second from now on, which belong to `row`. `burst`: so many besides, at once.
    `stop`: end when all that is due is published.

    `among`: the partitions of the burst; all in turn if none is named.
    """

    row: str
    rate: float | None = None
    burst: int = 0
    among: list[int] = []
    stop: bool = False


class Customs:
    """Publishes what is due, and writes down what was. One thread."""

    def __init__(self, wiring: Wiring, client: Client, customers: Customers, record: IO[bytes]) -> None:
        """Nothing is due yet."""
        self._wiring = wiring
        self._client = client
        self._customers = customers
        self._record = record
        self._began = time.time()
        self._due: list[tuple[float, int, Wish]] = []
        self._count = 0
        self._row, self._rate, self._next = "", 0.0, 0.0

    def hear(self, said: Said) -> None:
        """Order as told."""
        now = time.time() - self._began
        if said.rate is not None:
            self._row, self._rate, self._next = said.row, said.rate, max(now, self._next)
        for _ in range(said.burst):
            self._want(*self._customers.order(now, said.row, said.among or None))

    @property
    def is_done(self) -> bool:
        """Whether nothing is due any more, now or later."""
        return not self._rate and not self._due

    def stock(self, partitions: int) -> None:
        """Fill the shelves."""
        self._want(*stocked(partitions))
        self.step()

    def step(self) -> None:
        """Publish everything that has fallen due."""
        now = time.time() - self._began
        while self._rate and self._next <= now:
            self._want(*self._customers.order(self._next, self._row))
            self._next += 1 / self._rate
        batch: list[Wish] = []
        while self._due and self._due[0][0] <= now:
            batch.append(heapq.heappop(self._due)[2])
        if batch:
            self._publish(batch)

    def _want(self, *wishes: Wish) -> None:
        for wish in wishes:
            self._count += 1
            heapq.heappush(self._due, (wish.at, self._count, wish))

    def _publish(self, batch: list[Wish]) -> None:
        handed, tries = _now(), 1
        while True:
            try:
                self._client.send_all([(wish.message, wish.message_id) for wish in batch])
                break
            except BusUnavailable as error:
                sys.stderr.write(f"again: {error}\n")
                tries += 1
        confirmed = _now()
        for wish in batch:
            self._record.write(msgspec.json.encode(self._published(wish, handed, confirmed, tries)) + b"\n")

    def _published(self, wish: Wish, handed: Instant, confirmed: Instant, tries: int) -> Published:
        topic = self._wiring.destination(None, wish.message)
        key = topic.kinds[type(wish.message)].key
        assert key is not None
        meant = round((self._began + wish.at) * SECOND)
        return Published(
            wish.message_id, topic.name, wish.partition, key(wish.message), meant, handed, confirmed, tries
        )


def main() -> int:
    """Run until told to stop, or until the input ends."""
    url, path, seed, partitions = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    wiring = SHOP.wire()
    bus = bus_place(url, wiring.app).connect("customers")
    with path.open("wb") as record:
        customs = Customs(wiring, Client(wiring, bus, timeout=_PATIENCE), Customers(partitions, seed), record)
        customs.stock(partitions)
        _answer("stocked")
        _run(customs)
    bus.close()
    _answer("gone")
    return 0


def _run(customs: Customs) -> None:
    heard: SimpleQueue[Said] = SimpleQueue()
    threading.Thread(target=_listen, args=(heard,), daemon=True).start()
    stopping = False
    while True:
        began = time.monotonic()
        try:
            said = heard.get_nowait()
        except Empty:
            pass
        else:
            customs.hear(said)
            _answer("stopping" if said.stop else "heard")
            stopping = stopping or said.stop
        if stopping and customs.is_done:
            return
        customs.step()
        time.sleep(max(0.0, TICK - (time.monotonic() - began)))


def _listen(heard: SimpleQueue[Said]) -> None:
    with open(sys.stdin.fileno(), "rb", closefd=False) as lines:
        for line in lines:
            heard.put(msgspec.json.decode(line, type=Said))
    heard.put(Said("", rate=0.0, stop=True))


def _answer(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _now() -> Instant:
    return time.time_ns() // 1000


if __name__ == "__main__":
    sys.exit(main())
