"""Failing orders on a real broker, which dies between their attempts: order, counts that last, letters that tools read.

The counts are the store's (R24): the broker's own ones are in its memory.
"""
# pulsar-client ships no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import pulsar
import pytest

from magnetar.runtime import Actor, App, Client, Command, Context, Key, Policy, Retry, State, replace
from magnetar.runtime.compose.places import bus_place, store_place
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.compose.topics import Cluster
from magnetar.runtime.identity import id_of, to_text
from magnetar.runtime.instant import SECOND, from_iso
from magnetar.schemas import Kept
from tests.contract.bus.harness import until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from magnetar.runtime.compose.places import StorePlace
    from magnetar.runtime.servers.pulsar import PulsarServer
    from magnetar.runtime.store.views import Views

KEYS, EACH, ATTEMPTS, WAIT = 10, 8, 3, 4.0
PATIENCE = 90.0
DEAD, TIER = "parcels-magnetar-parcels-DLQ", "parcels-magnetar-parcels-RETRY-4s"


class Stow(Command):
    """Stow the number; the first so many attempts fail."""

    parcel: Key
    number: int
    fails: int = 0


class Parcel(State):
    """What was stowed, in order."""

    stowed: tuple[int, ...] = ()


RETRY = Retry(immediate=1, tiers=(WAIT,), attempts=ATTEMPTS, jitter=0.0)
parcels = Actor("parcels", Parcel, policy=Policy(partitions=2, retry=RETRY))


class JammedError(Exception):
    """What the handler raises."""


@parcels.handles
def stow(parcel: Parcel, message: Stow, context: Context) -> Parcel:
    """In order."""
    if context.envelope.attempt < message.fails:
        text = f"attempt {context.envelope.attempt} is jammed"
        raise JammedError(text)
    return replace(parcel, stowed=(*parcel.stowed, message.number))


class Letter(NamedTuple):
    """A message as a client sees it that knows nothing of us."""

    key: str
    body: bytes
    properties: dict[str, str]


class Depot:
    """An app of a namespace of its own, its store, and one worker at a time."""

    def __init__(self, server: PulsarServer, folder: Path) -> None:
        self.server = server
        self.app = App(f"depot{uuid4().hex[:8]}", parcels)
        self.store: StorePlace = store_place(f"sqlite:///{folder}/depot.db")
        self._place = bus_place(server.service_url, self.app.name, admin=server.admin_url)
        with Cluster(server.admin_url, self.app.wire()) as cluster:
            cluster.apply()
        self.worker = self._hired("first")
        self.views: Views = self.store.views()

    def _hired(self, name: str) -> RunningWorker:
        worker = RunningWorker(self.app.wire(), self._place, self.store, owner=name)
        worker.start()
        return worker

    def restart(self) -> None:
        """The broker, in order."""
        self.server.stop()
        self.server.start()

    def replace_worker_after(self, act: Callable[[], None]) -> None:
        """It dies as a killed process does, and another one comes when this is done."""
        self.worker.kill()
        act()
        self.worker = self._hired("second")

    def send(self, messages: list[tuple[Stow, str]]) -> None:
        """As a web handler would."""
        bus = self._place.connect("web")
        client = Client(self.app.wire(), bus, self.views)
        client.send_all([*messages])
        client.close()
        bus.close()

    def stowed(self, key: str) -> tuple[int, ...]:
        """What was done for the key."""
        row = self.views.state("parcels", key)
        if row is None:
            return ()
        codec = self.app.wire().actors["parcels"].codec
        state = codec.decode(row.body, codec.schema, Kept("parcels", key))
        assert isinstance(state, Parcel)
        return state.stowed

    def attempts(self, message_id: str) -> list[int]:
        """The ledger of a message."""
        return [row.number for row in self.views.failures_of("parcels", id_of(message_id))]

    def letters(self, topic: str) -> list[Letter]:
        """Everything on a letter topic, by the plain client."""
        client = pulsar.Client(self.server.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
        with closing(client):
            return [letter for part in (0, 1) for letter in self._read(client, f"{topic}-partition-{part}")]

    def _read(self, client: pulsar.Client, topic: str) -> Generator[Letter]:
        name = f"persistent://public/{self.app.name}/{topic}"
        with closing(client.create_reader(name, pulsar.MessageId.earliest)) as reader:
            while reader.has_message_available():
                message = reader.read_next(timeout_millis=10_000)
                yield Letter(message.partition_key(), message.data(), dict(message.properties()))

    def close(self) -> None:
        """Let go of everything."""
        self.worker.kill()
        self.views.close()


@pytest.fixture
def depot(own_server: PulsarServer, tmp_path: Path) -> Generator[Depot]:
    """On a server that this module may restart."""
    made = Depot(own_server, tmp_path)
    yield made
    made.close()


def wait_for(question: Callable[[], bool], what: str) -> None:
    """Until it is so."""
    until(lambda: question() or None, PATIENCE, what)


def parcel(number: int) -> str:
    """A key."""
    return f"p-{number}"


def stows() -> list[tuple[Stow, str]]:
    """The parcels' numbers, mixed; of each third parcel one fails before it is stowed, and p-1's fourth always does."""
    found: list[tuple[Stow, str]] = []
    for number in range(EACH):
        for key in range(KEYS):
            fails = 1 + key % 2 if key % 3 == 0 and number == key % EACH else 0
            fails = 99 if (key, number) == (1, 3) else fails
            found.append((Stow(parcel=parcel(key), number=number, fails=fails), f"stow-{key}-{number}"))
    return found


@pytest.mark.timeout(300)
def test_attempts_are_counted_through_restarts_and_order_is_kept(depot: Depot) -> None:
    """The broker is stopped, then killed, between attempts, the worker once; all that can be stowed is, in order.

    Without a worker nothing is tried; with one, rows ring while the broker is away (R23), however long that takes.
    """
    messages = stows()
    depot.send(messages)
    wait_for(lambda: bool(depot.attempts("stow-1-3")), "a first attempt")
    depot.replace_worker_after(depot.restart)
    between = depot.views.now()
    wait_for(lambda: len(depot.attempts("stow-1-3")) > 1, "a second attempt")
    depot.server.kill()
    after = depot.views.now()
    depot.server.start()
    healthy, whole = [parcel(number) for number in range(KEYS) if number != 1], tuple(range(EACH))
    wait_for(lambda: all(depot.stowed(key) == whole for key in healthy), "parcels in order")
    wait_for(lambda: bool(depot.views.dead_letters("parcels")), "a dead letter")
    [dead] = depot.views.dead_letters("parcels")
    assert (dead.message_id, dead.failures) == (id_of("stow-1-3"), ATTEMPTS)
    first, second, third = depot.views.failures_of("parcels", id_of("stow-1-3"))
    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert first.now < between < second.now < after < third.now, "the broker was away between any two attempts"
    assert depot.stowed(parcel(1)) == (0, 1, 2)
    assert len(depot.views.parked_of("parcels", parcel(1))) == EACH - 4
    wait_for(lambda: not depot.views.unsent_of("parcels"), "letters sent")
    check_letters(depot, messages)


def check_letters(depot: Depot, messages: list[tuple[Stow, str]]) -> None:
    """One bell for each attempt that was to come, one letter for what died, with what a person must know of it."""
    [dead] = depot.letters(DEAD)
    bells = depot.letters(TIER)
    wanted = Counter({f"{message_id}/{attempt}": 1 for message, message_id in messages for attempt in waited(message)})
    names = {to_text(id_of(message_id)): message_id for _, message_id in messages}
    assert Counter(f"{names[bell.properties['message_id']]}/{bell.properties['attempt']}" for bell in bells) == wanted
    entry = depot.views.entry("parcels", id_of("stow-1-3"))
    assert entry is not None
    assert (dead.key, dead.body) == (parcel(1), entry.body)
    assert names[dead.properties["message_id"]] == "stow-1-3"
    assert dead.properties["attempt"] == str(ATTEMPTS)
    assert dead.properties["error"] == f"{__name__}.JammedError"
    assert dead.properties["error_text"] == "attempt 2 is jammed"
    assert (dead.properties["origin"], dead.properties["origin_position"]) == (entry.source, entry.position)
    assert dead.properties["type"] == entry.type
    assert dead.properties["schema"] == entry.schema
    assert "due" not in dead.properties
    for bell in bells:
        told = bell.properties
        [failure] = [
            row
            for row in depot.views.failures_of("parcels", id_of(told["message_id"]))
            if row.number == int(told["attempt"])
        ]
        assert from_iso(told["due"]) == failure.now + WAIT * SECOND


def waited(message: Stow) -> range:
    """After which attempts it waited for the next one."""
    return range(1, min(message.fails, ATTEMPTS - 1) + 1)
