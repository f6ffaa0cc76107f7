"""The way in from outside: durable, idempotent by id, bounded by a deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast
from uuid import UUID

import pytest

from magnetar.runtime import (
    Actor,
    Answer,
    Client,
    Context,
    Key,
    MisuseError,
    Policy,
    Retry,
    State,
    TemporaryError,
    World,
    replace,
)
from magnetar.runtime.bus.memory import Broker, Faults, MemoryBus
from magnetar.runtime.bus.port import BusUnavailable, Refused, TopicMissing
from magnetar.runtime.compose.places import provision_embedded
from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import StoreUnavailable
from magnetar.schemas import Command
from tests.unit.user.till import Account, Letter, Overdue, Paid, Pay, accounts, till

if TYPE_CHECKING:
    from magnetar.runtime.store.port import JournalRow
    from magnetar.runtime.store.views import Views

HOME = partition_of("a", 4)


class Wait(Command):
    """What fails at first."""

    thing: Key
    fails: int


class Thing(State):
    """What was done."""

    done: int = 0


slow = Actor("slow", Thing, policy=Policy(partitions=1, retry=Retry(immediate=1, tiers=(4.0,), attempts=8, jitter=0.0)))


@slow.handles
def wait(thing: Thing, message: Wait, context: Context) -> Thing:
    """The first attempts fail."""
    if context.envelope.attempt < message.fails:
        raise TemporaryError("not yet")
    return replace(thing, done=thing.done + 1)


class Pauses:
    """Virtual time: a pause moves it, and may do something."""

    def __init__(self) -> None:
        """The start."""
        self.at: Instant = 1_800_000_000_000_000
        self.do: Callable[[], None] = lambda: None

    def now(self) -> Instant:
        """The present."""
        return self.at

    def pause(self, seconds: float) -> None:
        """Time passes."""
        self.at += micros(seconds)
        self.do()


class Desk:
    """A client on a broker of its own, without any worker."""

    def __init__(self) -> None:
        """Topics provisioned."""
        self.wiring = till.wire()
        self.pauses = Pauses()
        self.broker = Broker(self.pauses.now)
        provision_embedded(self.broker, self.wiring)
        self.faults = Faults(self.broker)
        self.bus = MemoryBus(self.broker, "desk")
        self.client = Client(self.wiring, self.bus, timeout=5.0, moments=self.pauses)

    def amounts(self, partition: int = HOME) -> list[int]:
        """What stands on a partition, in order."""
        codec = self.wiring.topics["accounts"].codec
        found = [codec.decode(each.body, codec.schema, Origin()) for each in self.broker.log("accounts", partition)]
        return [each.amount for each in found if isinstance(each, Pay)]


class Origin:
    """What an error would say."""

    topic = message_id = schema_version = "test"


@pytest.fixture
def desk() -> Desk:
    """A client and its broker."""
    return Desk()


@pytest.fixture
def world() -> Iterator[World]:
    """A worker too."""
    with World(till) as world:
        yield world


def test_a_message_carries_its_envelope(desk: Desk) -> None:
    """Readable properties, the key as the partition key, on the key's partition."""
    text = desk.client.send(Pay(account="a"))
    [stored] = desk.broker.log("accounts", HOME)
    assert stored.key == "a"
    assert UUID(text).version == 7
    assert stored.properties == {
        "message_id": text,
        "type": "tests.Pay",
        "schema": desk.wiring.topics["accounts"].codec.schema.fingerprint,
        "correlation_id": text,
        "occurred_at": "2027-01-15T08:00:00.000000+00:00",
        "sender": stored.properties["sender"],
    }


@pytest.mark.parametrize("fault", ["lose_sends", "lose_receipts"])
@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_lost_receipt_costs_nothing(desk: Desk, fault: str, times: int) -> None:
    """Sent again under the same number: there once, in order, whether or not it had been stored."""
    getattr(desk.faults, fault)("accounts", HOME, times)
    desk.client.send_all([(Pay(account="a", amount=number), None) for number in range(5)])
    desk.client.send(Pay(account="a", amount=9))
    assert desk.amounts() == [0, 1, 2, 3, 4, 9]


def test_without_an_answer_the_call_ends_at_its_deadline(desk: Desk) -> None:
    """It says how many are open and that the same ids may be sent again; doing so is right."""
    desk.faults.hold_sends("accounts", HOME)
    start = desk.pauses.at
    with pytest.raises(BusUnavailable, match=r"no receipt for 1 message\(s\) on accounts/\d within 5.0 s"):
        desk.client.send(Pay(account="a"), id="one")
    assert 5.0 <= (desk.pauses.at - start) / 1e6 < 5.1
    desk.faults.release_sends("accounts", HOME)
    desk.client.send(Pay(account="a"), id="one")
    assert desk.amounts() == [1]


@pytest.mark.parametrize("seconds", [0.001, 0.05, 1.0, 4.0])
def test_who_waits_looks_less_often_and_sees_the_answer_soon(desk: Desk, seconds: float) -> None:
    """A tenth later than it came; a broker that is silent for seconds costs hundreds of looks, not thousands."""
    desk.client.send(Pay(account="a", amount=1))
    desk.faults.hold_sends("accounts", HOME)
    begin, looks = desk.pauses.at, 0

    def answer() -> None:
        nonlocal looks
        looks += 1
        if desk.pauses.at >= begin + micros(seconds):
            desk.faults.release_sends("accounts", HOME)

    desk.pauses.do = answer
    desk.client.send(Pay(account="a", amount=2))
    took = (desk.pauses.at - begin) / 1e6
    assert seconds <= took <= max(seconds * 1.1, seconds + 0.0002)
    assert looks <= 100 + seconds * 50


def test_without_a_producer_the_call_ends_at_its_deadline(desk: Desk) -> None:
    """Nothing was sent, and it says so."""
    desk.faults.hold_openings()
    with pytest.raises(BusUnavailable, match="nothing more was sent"):
        desk.client.send(Pay(account="a"))
    desk.faults.release_openings()
    desk.client.send(Pay(account="a"))
    assert desk.amounts() == [1]


def test_a_network_that_comes_back_in_time_is_enough(desk: Desk) -> None:
    """The call goes on as soon as it can."""
    desk.bus.cut()
    calls: list[int] = []

    def heal() -> None:
        calls.append(1)
        if len(calls) == 100:
            desk.bus.heal()

    desk.pauses.do = heal
    desk.client.send(Pay(account="a"))
    assert desk.amounts() == [1]


def test_a_refusal_is_final(desk: Desk) -> None:
    """No retry can heal it."""
    desk.faults.refuse_sends("accounts", HOME)
    with pytest.raises(Refused, match="quota"):
        desk.client.send(Pay(account="a"))


def test_a_topic_that_is_not_there_is_final() -> None:
    """It must be provisioned first."""
    bus = MemoryBus(Broker(lambda: 0), "desk")
    with pytest.raises(TopicMissing, match="provision"):
        Client(till.wire(), bus, moments=Pauses()).send(Pay(account="a"))


class Stranger(Command):
    """No part of the app."""


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (Stranger(), "takes Stranger: write a handler"),
        (Paid(account="a", amount=1), "may not publish Paid"),
        (Overdue(), "takes Overdue"),
        (Pay(account=""), "a key is 1 to 512 printable characters"),
        (Pay(account="x" * 513), "a key is 1 to 512 printable characters"),
    ],
)
def test_what_cannot_be_sent_is_refused_at_once(desk: Desk, message: Command, says: str) -> None:
    """Before anything goes out."""
    with pytest.raises(MisuseError, match=says):
        desk.client.send(message)


@pytest.mark.parametrize("text", ["", "x" * 201, "two\nlines"])
def test_an_id_has_bounds(desk: Desk, text: str) -> None:
    """It becomes a property and a label."""
    with pytest.raises(MisuseError, match="1 to 200 printable"):
        desk.client.send(Pay(account="a"), id=text)


def test_a_remote_takes_its_commands(desk: Desk) -> None:
    """On its topic, whose partitions the broker knows."""
    desk.client.send(Letter(address="x"))
    assert len(desk.broker.log("post", 0)) == 1


def test_equal_ids_are_one_message(world: World) -> None:
    """However often they are sent: as any text, or as a UUID in any spelling."""
    identity = UUID("018f4e9e-0000-7000-8000-00000000ABCD")
    for name in ("order 17", "order 17", identity, str(identity).upper(), str(identity)):
        world.send(Pay(account="a"), id=name)
    assert world.state(accounts, "a").times == 2


def ask(world: World, name: str | None = None, amount: int = 1) -> Answer:
    """Ask an account to count."""
    return world._client.ask(Pay(account="a", amount=amount), id=name)


def test_a_question_is_answered_with_the_committed_state(world: World) -> None:
    """Right after its own message, not with what came later."""
    answer = ask(world, "one", 5)
    assert answer == Answer("applied", Account(amount=5, times=1), 1)


def test_a_question_asked_again_has_the_same_answer(world: World) -> None:
    """Also when the state has moved on since: it is the journal's answer, and nothing is done twice."""
    first = ask(world, "one", 5)
    ask(world, "two", 7)
    assert ask(world, "one", 5) == first
    assert world.state(accounts, "a") == Account(amount=12, times=2)


def test_an_answer_survives_the_worker(world: World) -> None:
    """It was committed with the state."""
    first = ask(world, "one", 5)
    world.crash()
    assert ask(world, "one", 5) == first
    world.send(Pay(account="a", amount=1))
    assert ask(world, "one", 5) == first


def test_a_question_asked_before_a_crash_is_answered_after_it(world: World) -> None:
    """The question is durable: nobody was there when it was asked."""
    world._connection.disconnect()
    moments = world._client._moments
    pause = moments.pause

    def wake(seconds: float) -> None:
        moments.pause = pause  # type: ignore[method-assign]
        world.crash()

    moments.pause = wake  # type: ignore[method-assign]
    assert ask(world, "one", 5).state == Account(amount=5, times=1)


def test_a_message_that_was_sent_has_no_answer_to_give(world: World) -> None:
    """Only a question keeps the state; its disposition is known all the same."""
    world.send(Pay(account="a"), id="one")
    assert ask(world, "one") == Answer("applied", None, 1)


def test_a_question_without_a_worker_ends_at_its_deadline(desk: Desk, world: World) -> None:
    """Whether it will be done is open; asking again with the same id is right."""
    views = world._views
    client = Client(desk.wiring, desk.bus, views, timeout=5.0, moments=desk.pauses)
    with pytest.raises(BusUnavailable, match="ask again with the same id"):
        client.ask(Pay(account="a"), id="one")
    assert desk.amounts() == [1]


class Away:
    """Views of a store that is away for so many questions, and that notices two threads at once."""

    def __init__(self, views: Views, times: int) -> None:
        """Of a world."""
        self._views = views
        self._busy = threading.Lock()
        self.times = times

    def entry(self, actor: str, message_id: bytes) -> JournalRow | None:
        """The world's."""
        assert self._busy.acquire(blocking=False), "two threads on one connection"
        try:
            self.times -= 1
            if self.times >= 0:
                text = "the store is being restarted"
                raise StoreUnavailable(text)
            return self._views.entry(actor, message_id)
        finally:
            self._busy.release()


def asking(desk: Desk, world: World, times: int) -> Client:
    """A client that reads a store which is away for so many questions; what it asks was answered before."""
    ask(world, "one", 5)
    away = cast("Views", cast("object", Away(world._views, times)))
    return Client(desk.wiring, desk.bus, away, timeout=5.0, moments=desk.pauses)


def test_a_store_that_is_away_for_a_moment_costs_no_answer(desk: Desk, world: World) -> None:
    """The message is with the broker already: the client looks again."""
    answer = asking(desk, world, 7).ask(Pay(account="a", amount=5), id="one")
    assert answer == Answer("applied", Account(amount=5, times=1), 1)


def test_a_store_that_stays_away_is_told_at_the_deadline(desk: Desk, world: World) -> None:
    """As any question without an answer, with the store's own words as its cause."""
    with pytest.raises(BusUnavailable, match="ask again with the same id") as caught:
        asking(desk, world, 1_000_000).ask(Pay(account="a", amount=5), id="one")
    assert isinstance(caught.value.__cause__, StoreUnavailable)


def test_threads_that_ask_take_turns_at_the_store(desk: Desk, world: World) -> None:
    """Views serve one thread at a time, and a client serves any number."""
    client = asking(desk, world, 0)
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(client.ask, Pay(account="a", amount=5), id="one") for _ in range(64)]
    assert [each.result() for each in asked] == [Answer("applied", Account(amount=5, times=1), 1)] * 64


def test_a_client_without_a_store_cannot_ask(desk: Desk) -> None:
    """It says what to give it."""
    with pytest.raises(MisuseError, match="answers=views"):
        desk.client.ask(Pay(account="a"))


def test_a_closed_client_opens_anew(desk: Desk) -> None:
    """Closing gives producers back and harms nothing."""
    desk.client.send(Pay(account="a", amount=1))
    desk.client.close()
    desk.client.send(Pay(account="a", amount=2))
    assert desk.amounts() == [1, 2]


def test_who_asks_for_what_is_parked_waits_for_it() -> None:
    """Until it is applied; when the timeout comes first, that it waits is the answer, and later the final one."""
    with World(slow, parks=True) as world:
        assert world._client.ask(Wait(thing="a", fails=1), id="soon") == Answer("applied", Thing(done=1), 1)
        assert world._client.ask(Wait(thing="a", fails=9), id="late") == Answer("parked", None, 1)
        world.advance(60)
        assert world._client.ask(Wait(thing="a", fails=9), id="late") == Answer("dead", None, 1)
