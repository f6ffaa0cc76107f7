"""A worker in this process: its references, its orderly end, its failures, its memory."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pykka
import pytest

from magnetar.runtime import Client, KeyParked, ShardLost
from magnetar.runtime.bus.memory import Broker, MemoryBus
from magnetar.runtime.compose.errors import WorkerFailed
from magnetar.runtime.compose.places import EmbeddedBus, provision_embedded, store_place
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.errors import HandlerFailed, MisuseError
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import StoreUnavailable
from magnetar.runtime.store.sqlite.store import SqliteStore
from magnetar.runtime.threads.loop import wall_clock
from magnetar.runtime.worker.entity import Entity
from tests.unit.compose.counting import Add, Break, BrokenError, Counter, Trap, counting

if TYPE_CHECKING:
    from magnetar.runtime.compose.places import StorePlace
    from magnetar.runtime.worker.shard import Shard

WAIT = 10.0


def until(question: Callable[[], bool], what: str) -> None:
    """Wait for a condition, or fail."""
    end = time.monotonic() + WAIT
    while not question():
        assert time.monotonic() < end, f"no {what} within {WAIT} s"
        time.sleep(0.002)


class House:
    """Broker and store, and workers in them."""

    def __init__(self) -> None:
        """Provisioned; nobody runs."""
        self.wiring = counting.wire()
        self.broker = Broker(wall_clock)
        provision_embedded(self.broker, self.wiring)
        self.store: StorePlace = store_place("memory:")
        self.workers: list[RunningWorker] = []
        self.trap = Trap()

    def worker(self) -> RunningWorker:
        """A worker that is ready."""
        name = f"w{len(self.workers)}"
        worker = RunningWorker(self.wiring, EmbeddedBus(self.broker), self.store, owner=name, points=self.trap)
        self.workers.append(worker)
        worker.start()
        until(lambda: worker.ready, "ready worker")
        return worker

    def client(self) -> Client:
        """From outside."""
        return Client(self.wiring, EmbeddedBus(self.broker).connect("client"), self.store.views())

    def total(self, key: str) -> int:
        """What a counter was asked to say."""
        state = self.client().ask(Add(counter=key, number=0)).state
        assert isinstance(state, Counter)
        return state.total


@pytest.fixture
def house() -> Iterator[House]:
    """Emptied at the end."""
    house = House()
    yield house
    for worker in house.workers:
        worker.kill()


def test_a_reference_tells_and_asks(house: House) -> None:
    """Through the loop, in order; the answer comes after the commit."""
    ref = house.worker().ref("counters", "a")
    for _ in range(10):
        ref.tell(Add(counter="a"))
    assert ref.ask(Add(counter="a"), timeout=WAIT) == Counter(total=11)
    row = house.store.views().state("counters", "a")
    assert row is not None
    assert row.version == 11


def test_a_reference_is_pykkas(house: House) -> None:
    """An order is an actor: what takes a Pykka reference takes this one."""
    worker = house.worker()
    ref = worker.ref("counters", "a")
    assert isinstance(ref, pykka.ActorRef)
    assert issubclass(ref.actor_class, pykka.Actor)
    assert ref.actor_urn.startswith("urn:magnetar:counters/")
    assert ref.actor_urn.endswith("/a")
    assert ref.is_alive()
    future = ref.ask(Add(counter="a"), block=False)
    assert isinstance(future, pykka.Future)
    assert future.get(timeout=WAIT) == Counter(total=1)
    worker.drain()
    assert not ref.is_alive()
    with pytest.raises(pykka.ActorDeadError):
        ref.tell(Add(counter="a"))


def test_a_wrong_message_is_the_askers_error(house: House) -> None:
    """And nobody else's."""
    worker = house.worker()
    with pytest.raises(MisuseError, match="takes no str"):
        worker.ref("counters", "a").ask("hello", timeout=WAIT)
    assert worker.ref("counters", "a").ask(Add(counter="a"), timeout=WAIT) == Counter(total=1)


def test_a_key_elsewhere_has_no_reference_here(house: House) -> None:
    """A second worker owns nothing while the first does."""
    house.worker()
    second = RunningWorker(house.wiring, EmbeddedBus(house.broker), house.store, owner="second")
    house.workers.append(second)
    with pytest.raises(ShardLost, match="not owned by this worker now"):
        second.ref("counters", "a")


def test_draining_leaves_nothing_in_hand(house: House) -> None:
    """Everything that was acknowledged is applied, everything else is still the broker's; the next one goes on."""
    worker, client = house.worker(), house.client()
    client.send_all([(Add(counter=f"k-{number % 5}"), None) for number in range(2000)])
    worker.drain(WAIT)
    assert worker.failure is None
    assert {(row.owner, row.clean) for row in house.store.views().shards()} == {("", True)}
    house.worker()
    assert sum(house.total(f"k-{number}") for number in range(5)) == 2000


def test_a_killed_worker_loses_nothing(house: House) -> None:
    """Its memory is gone; what it had not committed comes again to the next one, once.

    Twice: who is killed for the third time may have the same message in hand for the second time, which then waits.
    """
    client = house.client()
    for _ in range(2):
        worker = house.worker()
        client.send_all([(Add(counter=f"k-{number % 5}"), None) for number in range(500)])
        worker.kill()
    house.worker()
    assert sum(house.total(f"k-{number}") for number in range(5)) == 1000


def test_a_handler_that_raises_stops_nobody(house: House) -> None:
    """Who asked for it is told why; its key waits, and every other key goes on."""
    worker = house.worker()
    with pytest.raises(HandlerFailed, match="raised BrokenError: a") as caught:
        worker.ref("counters", "a").ask(Break(counter="a"), timeout=WAIT)
    assert isinstance(caught.value.__cause__, BrokenError)
    with pytest.raises(KeyParked, match="tried again at"):
        worker.ref("counters", "a").ask(Add(counter="a"), timeout=WAIT)
    neighbour = next(key for key in map(str, range(99)) if partition_of(key, 2) == partition_of("a", 2))
    assert worker.ref("counters", neighbour).ask(Add(counter=neighbour), timeout=WAIT) == Counter(total=1)
    assert worker.failure is None


def test_a_failure_of_the_engine_is_the_workers_last_word(house: House) -> None:
    """The loop ends, `wait` returns, `drain` raises with the cause; nothing of the message is acknowledged."""
    worker = house.worker()
    house.trap.set = True
    house.client().send(Add(counter="a"))
    assert worker.wait(WAIT)
    assert isinstance(worker.failure, BrokenError)
    with pytest.raises(WorkerFailed, match="the worker stopped: phase:handled") as caught:
        worker.drain()
    assert isinstance(caught.value.__cause__, BrokenError)
    backlog = sum(house.broker.backlog("counters", partition, "magnetar-counters") for partition in (0, 1))
    assert backlog == 1


def test_who_waits_for_an_answer_is_told_that_the_worker_failed(house: House) -> None:
    """Nobody waits for ever for a worker that has ended."""
    worker = house.worker()
    house.trap.set = True
    with pytest.raises(ShardLost):
        worker.ref("counters", "a").ask(Add(counter="a"), timeout=WAIT)
    assert worker.wait(WAIT)


def test_ending_twice_is_harmless(house: House) -> None:
    """In any order."""
    worker = house.worker()
    worker.drain()
    worker.drain()
    worker.kill()
    never = RunningWorker(house.wiring, EmbeddedBus(house.broker), house.store)
    never.drain()


def test_no_thread_is_left_behind(house: House) -> None:
    """A drained worker's threads are gone: loop, receivers, watchdog, asking."""
    before = set(threading.enumerate())
    house.worker().drain()
    until(lambda: set(threading.enumerate()) <= before, "end of the threads")


def test_an_idle_entity_is_small() -> None:
    """At most 512 bytes each: entity, key, state, and its places in the shard's tables."""
    house = House()
    worker = RunningWorker(house.wiring, EmbeddedBus(house.broker), house.store)
    house.workers.append(worker)
    worker.start()
    until(lambda: worker.ready, "ready worker")
    [shard, _] = worker._engine.holdings.shards()
    worker.kill()
    assert _bytes_each(shard, 10_000) <= 512


def _bytes_each(shard: Shard, count: int) -> float:
    """What tracemalloc says of so many entities."""
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(count):
            shard.settle(Entity(shard, f"order-{number:010}", Counter(total=1000 + number), 1))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / count


def test_a_worker_that_cannot_begin_leaves_nothing_open(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections and the asking thread are closed when the store cannot be prepared: whoever tries again has room."""
    opened: list[MemoryBus] = []

    def connect(self: EmbeddedBus, name: str) -> MemoryBus:
        opened.append(MemoryBus(self.broker, name))
        return opened[-1]

    def away(*_: object) -> None:
        message = "no store (made up)"
        raise StoreUnavailable(message)

    monkeypatch.setattr(EmbeddedBus, "connect", connect)
    monkeypatch.setattr(SqliteStore, "prepare", away)
    before = asking()
    with pytest.raises(StoreUnavailable):
        house.worker()
    assert [bus.closed for bus in opened] == [True]
    until(lambda: asking() <= before, "end of the asking thread")


def asking() -> set[threading.Thread]:
    """The threads that ask, of this worker and of earlier ones that are not gone yet."""
    return {thread for thread in threading.enumerate() if thread.name == "magnetar-asking"}
