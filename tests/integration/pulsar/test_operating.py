"""A person at the tools, a real broker, PostgreSQL, two workers, one of which dies: done once, and in order (R27)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from magnetar.runtime import Actor, App, Client, Command, Context, Key, Policy, Retry, State, replace
from magnetar.runtime.compose.places import bus_place, store_place
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.compose.topics import Cluster
from magnetar.runtime.operate import replaying
from magnetar.runtime.operate.asking import Asker, Desk
from magnetar.runtime.operate.key_names import KeyName
from magnetar.runtime.operate.replaying import Driver, Pace
from magnetar.runtime.store.requests import What
from magnetar.runtime.store.views import Which
from magnetar.schemas import Kept
from tests.contract.bus.harness import until
from tests.contract.store.postgres_harness import PostgresDatabases

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from magnetar.runtime.servers.postgres import PostgresServer
    from magnetar.runtime.servers.pulsar import PulsarServer

KEYS, EACH, PATIENCE = 8, 5, 60.0
ANN = Asker("ann", "a test")


class Stow(Command):
    """Stow the number; the first so many attempts fail."""

    crate: Key
    number: int
    fails: int = 0


class Crate(State):
    """What was stowed, in order."""

    stowed: tuple[int, ...] = ()


crates = Actor("crates", Crate, policy=Policy(partitions=4, retry=Retry(immediate=2, tiers=(60.0,), attempts=2)))


@crates.handles
def stow(crate: Crate, message: Stow, context: Context) -> Crate:
    """In order."""
    if context.envelope.attempt < message.fails:
        text = f"{context.key} is jammed"
        raise OSError(text)
    return replace(crate, stowed=(*crate.stowed, message.number))


class Depot:
    """An app of a namespace and a database of its own, and workers."""

    def __init__(self, server: PulsarServer, store: str) -> None:
        self.app = App(f"crates{uuid4().hex[:8]}", crates)
        self.store = store_place(store)
        self.bus = bus_place(server.service_url, self.app.name, admin=server.admin_url)
        with Cluster(server.admin_url, self.app.wire()) as cluster:
            cluster.apply()
        self.workers = [self._hired(f"w{number}") for number in range(2)]
        self.views, self.book = self.store.views(), self.store.requests()
        self.desk = Desk(self.views, self.book, ANN)

    def _hired(self, name: str) -> RunningWorker:
        worker = RunningWorker(self.app.wire(), self.bus, self.store, owner=name)
        worker.start()
        return worker

    def send(self, messages: list[tuple[Stow, str]]) -> None:
        """As a web handler would."""
        bus = self.bus.connect("web")
        client = Client(self.app.wire(), bus, self.views)
        client.send_all([*messages])
        client.close()
        bus.close()

    def stowed(self, key: str) -> tuple[int, ...]:
        """What was done for the key."""
        row = self.views.state("crates", key)
        if row is None:
            return ()
        codec = self.app.wire().actors["crates"].codec
        state = codec.decode(row.body, codec.schema, Kept("crates", key))
        assert isinstance(state, Crate)
        return state.stowed

    def asks(self, what: What, *keys: str, patience: float = PATIENCE) -> list[str]:
        """What became of these requests."""
        requests = [self.desk.about_key(KeyName("crates", key), what) for key in keys]
        return [answer.status for answer in self.desk.ask(requests, patience)]

    def close(self) -> None:
        """Let go of everything."""
        for worker in self.workers:
            worker.kill()
        self.views.close()
        self.book.close()


@pytest.fixture
def depot(pulsar_server: PulsarServer, postgres_server: PostgresServer) -> Generator[Depot]:
    """Two workers that share the shards out."""
    databases = PostgresDatabases(postgres_server)
    made = Depot(pulsar_server, databases.create())
    yield made
    made.close()


def wait_for(question: Callable[[], object], what: str) -> None:
    """Until it is so."""
    until(lambda: question() or None, PATIENCE, what)


def crate(number: int) -> str:
    """A key."""
    return f"c-{number}"


@pytest.mark.timeout(240)
def test_what_a_person_asks_is_done_once_though_a_worker_dies(depot: Depot) -> None:
    """Half of the crates die of their second message and hold; one is paused; a worker is killed; all are replayed."""
    sick, paused = [crate(number) for number in range(0, KEYS, 2)], crate(1)
    assert depot.asks(What.PAUSE, paused) == ["done"]
    messages = [
        (Stow(crate=crate(key), number=number, fails=3 if number == 1 and not key % 2 else 0), f"s-{key}-{number}")
        for number in range(EACH)
        for key in range(KEYS)
    ]
    depot.send(messages)
    wait_for(lambda: len(depot.views.letters(Which(actor="crates"))) == len(sick), "dead letters")
    whole = tuple(range(EACH))
    wait_for(lambda: all(depot.stowed(crate(number)) == whole for number in range(3, KEYS, 2)), "healthy crates")
    assert depot.stowed(paused) == ()
    [group] = depot.views.letter_groups(Which())
    assert (group.letters, group.keys) == (len(sick), len(sick))
    depot.workers[0].kill()
    assert depot.asks(What.RESUME, paused) == ["done"]
    replay = replaying.begin(depot.views, depot.book, ANN, Pace(canary=2, rate=50.0, stop_at=1.0), Which(), [])
    first = Driver(depot.views, depot.book, replay, PATIENCE).run(lambda _: None).progress
    assert (first.letters, first.applied, first.failed) == (len(sick), 0, len(sick)), "each says that it fails thrice"
    again = replaying.begin(depot.views, depot.book, ANN, Pace(canary=1, rate=50.0), Which(), [])
    second = Driver(depot.views, depot.book, again, PATIENCE).run(lambda _: None).progress
    assert (second.applied, second.failed, second.refused) == (len(sick), 0, 0)
    wait_for(lambda: all(depot.stowed(crate(number)) == whole for number in range(KEYS)), "all crates in order")
    assert depot.asks(What.RETRY, sick[0]) == ["refused"]
    assert depot.views.letters(Which()) == []
    assert depot.views.keys_parked() == []
