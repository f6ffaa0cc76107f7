"""Where messages and state live, by URL: places that outlive the connections made to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from magnetar.runtime.bus.memory import Broker, MemoryBus
from magnetar.runtime.bus.pulsar.access import Access
from magnetar.runtime.bus.pulsar.loading import Loading
from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from magnetar.runtime.bus.pulsar.wanted import Wanted, WantedTopic
from magnetar.runtime.compose.errors import UnknownPlace
from magnetar.runtime.store.sqlite import SqliteFile, SqliteMemory
from magnetar.runtime.threads.loop import wall_clock
from magnetar.runtime.wiring import LetterTopic

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Bus, Delivery
    from magnetar.runtime.bus.pulsar.client import PulsarBus, Subscriptions
    from magnetar.runtime.store.held import Held
    from magnetar.runtime.store.port import Store
    from magnetar.runtime.store.postgres import PostgresPlace, PostgresUpkeep
    from magnetar.runtime.store.replays import Requests
    from magnetar.runtime.store.views import Views
    from magnetar.runtime.wiring import Wiring

_POSTGRES = ("postgresql://", "postgres://")
_WHY_ADMIN = "only it tells how far a worker's messages are acknowledged, and so whether the store is an older copy"


class BusPlace(Protocol):
    """A broker: makes connections."""

    def connect(self, name: str) -> Bus:
        """A connection of one process; `name` says whose it is on screens and in logs."""
        ...

    def connect_worker(self, name: str) -> Bus:
        """One that can subscribe. Raises `UnknownPlace` where it could not tell whether the store went back (R11)."""
        ...

    def log(self, topic: str, partition: int) -> list[Delivery]:
        """Every message kept of a partition, oldest first, read beside all subscriptions: for oracles and tools."""
        ...


class StorePlace(Protocol):
    """A database: makes the loop's connection, and readers."""

    @property
    def shared(self) -> bool:
        """Whether workers in other processes may use it at the same time."""
        ...

    def open(self) -> Store:
        """The loop's connection, made in the loop's process; prepares the database."""
        ...

    def views(self) -> Views:
        """A reader of its own."""
        ...

    def requests(self) -> Requests:
        """What tools ask of the shards' owners, on a connection of its own."""
        ...

    def held(self) -> Held:
        """All that code must be able to read, for whoever judges a release."""
        ...


@dataclass(frozen=True, slots=True)
class EmbeddedBus:
    """The in-process bus."""

    broker: Broker

    def connect(self, name: str) -> MemoryBus:
        """A connection that a crash can drop."""
        return MemoryBus(self.broker, name)

    def connect_worker(self, name: str) -> MemoryBus:
        """The same."""
        return self.connect(name)

    def log(self, topic: str, partition: int) -> list[Delivery]:
        """The broker's own log."""
        return self.broker.log(topic, partition)


@dataclass(frozen=True, slots=True)
class PulsarPlace:
    """A Pulsar cluster, and the application's namespace on it.

    `admin`: the address of its REST API, or of several brokers': workers need it.
    """

    settings: PulsarSettings
    admin: str | None = None

    def connect(self, name: str) -> PulsarBus:  # noqa: ARG002 - Pulsar names connections by address
        """A new client. Raises `Refused` for a token or certificates that cannot be used."""
        found = self._subscriptions()
        return _client(self.settings, None if isinstance(found, str) else found)

    def connect_worker(self, name: str) -> PulsarBus:  # noqa: ARG002 - as above
        """The same, with the REST API."""
        found = self._subscriptions()
        if isinstance(found, str):
            raise UnknownPlace(f"{found}; {_WHY_ADMIN}")
        return _client(self.settings, found)

    def _subscriptions(self) -> Subscriptions | str:
        """The REST API, or why it cannot be asked."""
        if self.admin is None:
            return "the REST API of the cluster is not known: set MAGNETAR_ADMIN to http://host:8080"
        if find_spec("httpx2") is None:
            return f"the REST API at {self.admin} needs httpx2: install magnetar[admin]"
        return Loading(partial(_admin, self.settings, self.admin))

    def log(self, topic: str, partition: int) -> list[Delivery]:
        """With a reader of its own. Blocks; raises `BusError`."""
        from magnetar.runtime.bus.pulsar.reading import read_log  # noqa: PLC0415 - the native client, as below

        return read_log(self.settings, topic, partition)


def _client(settings: PulsarSettings, subscriptions: Subscriptions | None) -> PulsarBus:
    from magnetar.runtime.bus.pulsar.client import PulsarBus  # noqa: PLC0415 - a tool that reads a store waits for none

    return PulsarBus(settings, subscriptions)


def _admin(settings: PulsarSettings, url: str) -> Subscriptions:
    from magnetar.runtime.bus.pulsar.admin import Admin  # noqa: PLC0415 - of an extra

    within, connect_within = settings.operation_timeout, settings.connect_timeout
    return Admin(url, within, access=settings.access, connect_timeout=connect_within)


def bus_place(url: str, app: str, access: Access | None = None, admin: str | None = None) -> BusPlace:
    """The bus that a URL names: `memory:`, `pulsar://host:port`, `pulsar+ssl://host:port`.

    `access` and `admin` (the address of the REST API) are for a Pulsar only.
    """
    if url == "memory:":
        return EmbeddedBus(Broker(wall_clock, first_ledger=wall_clock()))  # above the positions that a store may hold
    if url.startswith(("pulsar://", "pulsar+ssl://")):
        return PulsarPlace(PulsarSettings(service_url=url, application=app, access=access or Access()), admin)
    message = f"{url!r} names no bus; use memory: or pulsar://host:6650"
    raise UnknownPlace(message)


def store_place(url: str) -> StorePlace:
    """The store that a URL names: `memory:`, `sqlite:///path` (four slashes for an absolute one), `postgresql://…`.

    What libpq understands may stand in the last, `?sslmode=verify-full&sslrootcert=…` for one. Raises `UnknownPlace`,
    never with a password in its text.
    """
    if url == "memory:":
        return SqliteMemory(wall_clock)
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path:
        return SqliteFile(Path(path), wall_clock)
    if url.startswith(_POSTGRES):
        return _postgres_place(url)
    message = (
        f"{without_secret(url)!r} names no store; use memory:, sqlite:///path/to/file.db or postgresql://host/name"
    )
    raise UnknownPlace(message)


def store_upkeep(url: str) -> PostgresUpkeep:
    """What operators do to a store from time to time. Raises `UnknownPlace` for one that needs none of it."""
    if not url.startswith(_POSTGRES):
        message = f"{without_secret(url)!r} needs no upkeep: a SQLite file migrates when opened, and keeps its journal"
        raise UnknownPlace(message)
    return _postgres_place(url).upkeep()


def _postgres_place(url: str) -> PostgresPlace:
    try:
        from magnetar.runtime.store.postgres import PostgresPlace  # noqa: PLC0415 - an extra
    except ImportError as problem:
        message = "psycopg, which speaks to PostgreSQL, is not installed: pip install 'magnetar[postgres]'"
        raise UnknownPlace(message) from problem
    try:
        return PostgresPlace(url)
    except ValueError as problem:
        raise UnknownPlace(str(problem)) from None


def without_secret(url: str) -> str:
    """The URL for a text: what stands before an `@` may be a password."""
    before, at, after = url.rpartition("@")
    return f"{before.partition('://')[0]}://…@{after}" if at else url


def provision_embedded(broker: Broker, wiring: Wiring) -> None:
    """Make an app's topics and subscriptions on an in-process broker; a remote's topics get one partition."""
    for topic in wiring.provisioned():
        broker.provision(topic.name, topic.partitions or 1, topic.subscriptions)


def wanted_of(wiring: Wiring) -> Wanted:
    """What an app wants of a Pulsar cluster; a remote's topics are its own service's to provision."""
    topics = tuple(
        WantedTopic(
            name=topic.name,
            partitions=topic.partitions,
            schema=None if isinstance(topic, LetterTopic) else topic.codec.schema.text,
            subscriptions=topic.subscriptions,
        )
        for topic in wiring.provisioned()
        if topic.partitions is not None
    )
    return Wanted(application=wiring.app, topics=topics)
