"""What an adapter brings so that the bus contract can be run on it, and the verbs in which the contract is written.

To plug in an adapter: write a fixture that yields a `BusHarness` (in a module of its own beside this one, skipping
with a reason when its server is missing), import it in `conftest.py` and add its name to `HARNESSES` there.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol, TypeVar

from magnetar.runtime.bus.port import BusUnavailable, Busy, Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from magnetar.runtime.bus.port import Bus, BusError, Consumer, Delivery, Opening, Position, Producer, Receipt

T = TypeVar("T")

SUBSCRIPTION = "magnetar-orders"
PAUSE = 0.005
"""Seconds between two looks at something that another thread or another machine does."""


class BusHarness(Protocol):
    """An adapter under test, with a broker behind it that the test may fill and read without that adapter."""

    @property
    def bus(self) -> Bus:
        """The connection under test; a new one for each test, closed by the harness."""
        ...

    @property
    def deadline(self) -> float:
        """Seconds within which whatever must happen happens."""
        ...

    @property
    def quiet(self) -> float:
        """Seconds of silence after which nothing more is expected."""
        ...

    def topic(
        self, partitions: int = 1, subscriptions: Iterable[str] = (SUBSCRIPTION,), schema: str | None = None
    ) -> str:
        """Provision a topic nobody has used before and return its short name.

        With a schema, that is its version 0: producers of plain bytes are refused then. Producers cannot register
        schemas of their own.
        """
        ...

    def register(self, topic: str, schema: str) -> int:
        """Add a schema version to the topic, as the operator does."""
        ...

    def other(self) -> Bus:
        """A second connection, as another process would have; closed by the harness."""
        ...

    def log(self, topic: str, partition: int) -> list[Delivery]:
        """Everything stored in the partition, acknowledged or not, read past the adapter's subscriptions."""
        ...

    def unload(self, topic: str, partition: int) -> None:
        """Make the broker let go of the partition, as when it moves to another one. Who was connected comes back."""
        ...

    def rewind(self, topic: str, partition: int, subscription: str) -> None:
        """Put the subscription back to the earliest message, as an operator does."""
        ...


def until(probe: Callable[[], T | None], deadline: float, what: str) -> T:
    """The first answer of `probe` that is not None; the test fails when none came within `deadline` seconds."""
    end = time.monotonic() + deadline
    while (found := probe()) is None:
        assert time.monotonic() < end, f"{what}: not within {deadline} s"
        threading.Event().wait(PAUSE)
    return found


class Bench:
    """The verbs of the contract, with the harness's deadlines."""

    def __init__(self, harness: BusHarness) -> None:
        self.harness = harness
        self.bus = harness.bus

    def opened(self, opening: Opening[T]) -> T:
        """What is being opened, once it is there; raises what it fails with."""
        return until(opening.poll, self.harness.deadline, "opening")

    def opened_when_free(self, opening: Callable[[], Opening[T]]) -> T:
        """What is being opened, tried again as long as somebody else holds it, or no broker answers."""
        return self._opened_again(opening, held=True)

    def _opened_again(self, opening: Callable[[], Opening[T]], *, held: bool = False) -> T:
        """Where no broker has answered in time, as on a busy machine, the port says *ask again*.

        What was asked first may hold it then.
        """
        said: list[BusError] = []

        def attempt() -> T | None:
            try:
                return self.opened(opening())
            except BusUnavailable as error:
                said.append(error)
            except Busy as error:
                if not held and not said:
                    raise
                said.append(error)
            return None

        try:
            return until(attempt, self.harness.deadline, "opening")
        except AssertionError as late:
            raise late from (said[-1] if said else None)

    def consumer(
        self, topic: str, partition: int = 0, subscription: str = SUBSCRIPTION, bus: Bus | None = None
    ) -> Consumer:
        """The subscription on a partition, which nobody holds."""
        return self._opened_again(lambda: (bus or self.bus).subscribe(topic, partition, subscription))

    def cursor(self, consumer: Consumer) -> Position:
        """How far its subscription is acknowledged, once that is known."""
        return until(consumer.cursor, self.harness.deadline, "how far it is acknowledged")

    def newest(self, consumer: Consumer) -> Position:
        """The last message of its partition, once that is known."""
        return until(consumer.newest, self.harness.deadline, "the last message")

    def producer(
        self,
        topic: str,
        partition: int = 0,
        name: str = "shop/orders/0",
        schema: str | None = None,
        bus: Bus | None = None,
    ) -> Producer:
        """A named producer on a partition, which nobody holds."""
        return self._opened_again(lambda: (bus or self.bus).produce(topic, partition, name, schema))

    def receipts(self, producer: Producer, count: int) -> list[Receipt]:
        """The next `count` receipts."""
        found: list[Receipt] = []

        def enough() -> bool | None:
            found.extend(producer.receipts())
            return True if len(found) >= count else None

        until(enough, self.harness.deadline, f"{count} receipts")
        assert len(found) == count
        return found

    def sent(self, producer: Producer, bodies: Iterable[bytes], first: int = 1) -> list[Position]:
        """Send these with ascending numbers and wait until all are stored; their positions."""
        last = first - 1
        for last, body in enumerate(bodies, first):
            producer.send(last, plain(body))
        found = self.receipts(producer, last - first + 1)
        assert [receipt.number for receipt in found] == list(range(first, last + 1))
        positions = [receipt.position for receipt in found if receipt.error is None and not receipt.duplicate]
        assert len(positions) == len(found), found
        return [position for position in positions if position is not None]

    def received(self, consumer: Consumer, count: int, limit: int = 200) -> list[Delivery]:
        """The next `count` messages, and no more than those."""
        found: list[Delivery] = []

        def enough() -> bool | None:
            found.extend(consumer.receive(min(limit, count - len(found)), PAUSE))
            return True if len(found) >= count else None

        until(enough, self.harness.deadline, f"{count} messages")
        return found

    def silent(self, consumer: Consumer) -> bool:
        """Whether nothing more comes."""
        return consumer.receive(1, self.harness.quiet) == []


def plain(body: bytes, key: str | None = "o-1") -> Outgoing:
    """A message of which only the body matters."""
    return Outgoing(key, body, {"type": "shop.Place"})


def bodies(count: int, first: int = 0) -> list[bytes]:
    """Bodies that tell their order: b"0", b"1" and so on."""
    return [str(number).encode() for number in range(first, first + count)]
