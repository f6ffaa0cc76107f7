"""A receiver's thread: it hands over lists, holds back when nobody takes them, and ends with its consumer (R21)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from magnetar.runtime.bus.memory import Broker, Faults, MemoryBus
from magnetar.runtime.bus.port import BusUnavailable, Closed, Consumer, Delivery, Opening, Outgoing, Position
from magnetar.runtime.threads.asking import Asking
from magnetar.runtime.threads.receiver import Receiver

DEADLINE = 5.0


def until(question: Callable[[], bool], what: str) -> None:
    """Wait for a condition, or fail."""
    end = time.monotonic() + DEADLINE
    while not question():
        assert time.monotonic() < end, f"no {what} within {DEADLINE} s"
        time.sleep(0.001)


class Room:
    """A broker with one partition, and a receiver on it."""

    def __init__(self, bound: int = 50) -> None:
        """Subscribed, with nothing published."""
        self.broker = Broker(lambda: 0)
        self.broker.provision("t", 1, ["s"])
        self.faults = Faults(self.broker)
        self.bus = MemoryBus(self.broker, "worker")
        self.woken = threading.Event()
        self.asking = Asking()
        consumer = self.bus.subscribe("t", 0, "s").poll()
        assert consumer is not None
        self.consumer: Consumer = consumer
        self.receiver = Receiver(consumer, self.woken.set, self.asking, bound=bound, wait=0.05)
        self._number = 0

    def publish(self, count: int) -> None:
        """So many messages."""
        producer = MemoryBus(self.broker, "outside").produce("t", 0, "outside", None).poll()
        assert producer is not None
        for _ in range(count):
            self._number += 1
            producer.send(self._number, Outgoing("k", str(self._number).encode(), {}))
        producer.close()

    def take(self, count: int, limit: int = 1000) -> list[Delivery]:
        """Take until there are so many."""
        taken: list[Delivery] = []

        def enough() -> bool:
            taken.extend(self.receiver.take(limit))
            return len(taken) >= count

        until(enough, f"{count} deliveries")
        return taken


@pytest.fixture
def room() -> Iterator[Room]:
    """Closed at the end."""
    room = Room()
    yield room
    room.receiver.close()
    room.asking.close()


def test_deliveries_are_handed_over_in_order(room: Room) -> None:
    """All of them, once, whatever portions they are taken in; the loop is woken."""
    room.publish(300)
    taken = room.take(300, limit=7)
    assert [each.body for each in taken] == [str(number).encode() for number in range(1, 301)]
    assert room.woken.is_set()
    assert room.receiver.take(10) == []


def test_it_holds_back_above_its_bound(room: Room) -> None:
    """With fifty waiting it receives no more; the broker holds the rest until there is room."""
    room.publish(500)
    until(lambda: room.receiver._waiting == 50, "full receiver")
    assert sum(map(len, room.receiver._lists)) == 50
    assert len(room.consumer.receive(1, 0.0)) == 1, "the fifty-first is still the broker's"
    assert len(room.receiver.take(20)) == 20
    until(lambda: room.receiver._waiting == 50, "full receiver again")


def test_closing_ends_the_thread_and_frees_the_seat(room: Room) -> None:
    """At once, although it waits for messages, or for room."""
    room.publish(500)
    until(lambda: room.receiver._waiting == 50, "full receiver")
    room.receiver.close()
    assert not room.receiver._thread.is_alive()
    assert room.receiver.take(10) == []
    assert MemoryBus(room.broker, "next").subscribe("t", 0, "s").poll() is not None


def test_leaving_begins_to_close(room: Room) -> None:
    """Nobody is waited for; its thread ends, the loop hears of no failure, and what was handed over is dropped."""
    room.publish(3)
    until(lambda: room.receiver._waiting == 3, "three deliveries")
    room.receiver.leave()
    until(lambda: not room.receiver._thread.is_alive(), "end of the thread")
    assert MemoryBus(room.broker, "next").subscribe("t", 0, "s").poll() is not None
    room.receiver.close()
    assert room.receiver.take(10) == []


def test_a_consumer_closed_under_it_is_told_by_take(room: Room) -> None:
    """What was handed over before comes first; then the loop learns why nothing more will come."""
    room.publish(3)
    until(lambda: room.receiver._waiting == 3, "three deliveries")
    room.bus.disconnect()
    until(lambda: not room.receiver._thread.is_alive(), "end of the thread")
    assert len(room.receiver.take(10)) == 3
    with pytest.raises(Closed):
        room.receiver.take(10)


class Broken:
    """A consumer whose client is out of order."""

    def receive(self, limit: int, wait: float) -> list[Delivery]:
        """As a defect would."""
        del limit, wait
        raise RuntimeError("a defect")

    def acknowledge(self, position: Position) -> None:
        """Nothing."""

    def end(self) -> Position | None:
        """Nothing."""
        raise BusUnavailable("no answer")

    def newest(self) -> Position | None:
        """Nothing."""

    def cursor(self) -> Position | None:
        """Nothing."""

    def seek(self, position: Position) -> Opening[Consumer]:
        """Nothing."""
        raise NotImplementedError(position)

    def connected(self) -> bool:
        """Never."""
        return False

    def leave(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def test_any_other_failure_reaches_the_loop() -> None:
    """No thread dies in silence."""
    asking = Asking()
    receiver = Receiver(Broken(), lambda: None, asking, wait=0.01)
    until(lambda: not receiver._thread.is_alive(), "end of the thread")
    with pytest.raises(RuntimeError, match="a defect"):
        receiver.take(1)
    asking.close()


def asked(room: Room, since: int, now: int, applied: Position | None) -> Callable[[], bool]:
    """The question, to be asked again and again."""
    return lambda: room.receiver.drained(since, now, applied)


def test_drained_asks_the_broker_in_another_thread(room: Room) -> None:
    """The first answer is always no: the question is on its way; then it is what the broker said."""
    assert not room.receiver.drained(5, 10, None)
    until(asked(room, 5, 10, None), "answer that an empty partition is drained")


def test_drained_says_no_while_something_is_left(room: Room) -> None:
    """Up to the position applied, and no further."""
    room.publish(2)
    first, second = (each.position for each in room.take(2))
    end = time.monotonic() + 0.2
    while time.monotonic() < end:
        assert not room.receiver.drained(5, 10, first)
        assert not room.receiver.drained(5, 10, None)
    until(asked(room, 5, 11, second), "answer that all is applied")


def test_drained_counts_no_answer_older_than_its_question(room: Room) -> None:
    """What was empty before `since` may have something by then; and before `since` nothing is asked."""
    until(asked(room, 5, 10, None), "answer for 5")
    room.publish(1)
    assert not room.receiver.drained(20, 15, None)
    assert room.receiver._asked is None
    assert not room.receiver.drained(20, 25, None)
    until(lambda: room.receiver._asked is None, "answer")
    assert not room.receiver.drained(20, 25, None)


def test_drained_asks_again_after_a_failure(room: Room) -> None:
    """A broker that does not answer is asked until it does."""
    room.bus.cut()
    assert not room.receiver.drained(5, 10, None)
    until(lambda: room.receiver._asked is None, "failed answer")
    room.bus.heal()
    until(asked(room, 5, 10, None), "answer")


def test_acknowledgements_pass(room: Room) -> None:
    """To the broker, cumulative."""
    room.publish(3)
    taken = room.take(3)
    room.receiver.acknowledge(taken[1].position)
    assert room.broker.backlog("t", 0, "s") == 1
    assert room.receiver.connected()
    room.bus.cut()
    assert not room.receiver.connected()
