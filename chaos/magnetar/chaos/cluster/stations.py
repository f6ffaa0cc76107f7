"""The processes of a cluster as faults see them: each can be killed, stopped and started again, whatever it is."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from magnetar.runtime.servers.cluster.answering import lacking, listens
from magnetar.runtime.servers.errors import NotStarted
from magnetar.runtime.servers.family import children
from magnetar.runtime.servers.greeting import ailing
from magnetar.runtime.servers.postgres_layout import USER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.actors.providing.emulator.process import ProviderProcess
    from magnetar.chaos.cluster.crew import Crew
    from magnetar.chaos.cluster.estate import Estate
    from magnetar.chaos.cluster.profile import Node
    from magnetar.chaos.cluster.switch import Switch
    from magnetar.runtime.servers.cluster import ClusterServer
    from magnetar.runtime.servers.postgres import PostgresServer

_ASK_SECONDS = 1.0
_READY_SECONDS = 60.0


class Station(Protocol):
    """What is at a node. Errors are those of what it is: `ServerError`, `CrewFailed`."""

    @property
    def node(self) -> Node:
        """Where it is."""
        ...

    def pids(self) -> Sequence[int]:
        """Its processes, the first one first; none while it is down."""
        ...

    def kill(self) -> None:
        """SIGKILL for all of it; it stays down until `start`."""
        ...

    def stop(self) -> None:
        """In order; it stays down until `start`."""
        ...

    def start(self) -> None:
        """Again, with its data, and wait until it is ready."""
        ...

    def lacks(self) -> str:
        """What it lacks to be ready; empty if it is."""
        ...


@dataclass(frozen=True, slots=True)
class MemberStation:
    """A ZooKeeper, a bookie or a broker."""

    node: Node
    server: ClusterServer

    def pids(self) -> Sequence[int]:
        """See `Station`."""
        try:
            return [self.server.process(self.node.name).pid]
        except NotStarted:
            return []

    def kill(self) -> None:
        """See `Station`."""
        self.server.kill(self.node.name)

    def stop(self) -> None:
        """See `Station`."""
        self.server.stop_one(self.node.name)

    def start(self) -> None:
        """See `Station`."""
        self.server.restart(self.node.name)

    def lacks(self) -> str:
        """See `Station`."""
        return lacking(self.server.address, self.server.address.member(self.node.name))


@dataclass(frozen=True, slots=True)
class StoreStation:
    """PostgreSQL, with the processes that serve its clients."""

    node: Node
    server: PostgresServer
    switch: Switch

    def pids(self) -> Sequence[int]:
        """See `Station`."""
        if not self.server.running:
            return []
        first = self.server.process.pid
        return [first, *children(first)]

    def kill(self) -> None:
        """See `Station`."""
        self.server.kill()

    def stop(self) -> None:
        """See `Station`."""
        self.server.stop()

    def start(self) -> None:
        """See `Station`."""
        with self.switch.inside(self.node):
            self.server.start()

    def lacks(self) -> str:
        """See `Station`."""
        address = self.server.address
        return ailing(address.host, address.port, USER, USER, _ASK_SECONDS)


@dataclass(frozen=True, slots=True)
class WorkerStation:
    """A worker of a crew."""

    node: Node
    crew: Crew

    def pids(self) -> Sequence[int]:
        """See `Station`."""
        worker = self.crew.workers.get(self.node.number)
        return [] if worker is None or worker.process.poll() is not None else [worker.process.pid]

    def kill(self) -> None:
        """See `Station`."""
        self.crew.kill(self.node.number)

    def stop(self) -> None:
        """See `Station`."""
        self.crew.stop(self.node.number)

    def start(self) -> None:
        """See `Station`."""
        self.crew.start(self.node.number)

    def lacks(self) -> str:
        """See `Station`. One that has ended by itself is started again, as by whoever runs workers for long.

        Who was frozen for a minute ends so when he thaws: nobody has seen his loop move.
        """
        worker = self.crew.workers.get(self.node.number)
        if worker is None:
            return "it is down"
        if worker.process.poll() is not None:
            return "; ".join(self.crew.fallen())
        return "" if worker.is_ready() else f"{worker.berth.listen}/readyz does not say that it is ready"


@dataclass(frozen=True, slots=True)
class ProviderStation:
    """The payment provider, which goes on with its log."""

    node: Node
    process: ProviderProcess
    switch: Switch

    def pids(self) -> Sequence[int]:
        """See `Station`."""
        return [] if self.process.pid is None else [self.process.pid]

    def kill(self) -> None:
        """See `Station`."""
        if self.process.pid is not None:
            self.process.kill()

    def stop(self) -> None:
        """See `Station`."""
        if self.process.pid is not None:
            self.process.stop()

    def start(self) -> None:
        """See `Station`."""
        with self.switch.inside(self.node):
            self.process.start()

    def lacks(self) -> str:
        """See `Station`."""
        place = urlsplit(self.process.url)
        heard = listens(str(place.hostname), place.port or 0)
        return "" if heard else f"nobody answers at {self.process.url}"


def tell(station: Station, estate: Estate, number: signal.Signals) -> Sequence[int]:
    """Send all of it a signal, each only if it is ours; to whom. Raises `ForeignTarget`."""
    pids = station.pids()
    for pid in pids:
        with suppress(ProcessLookupError):  # a server of one client, which has gone
            os.kill(estate.require_process(pid, station.node), number)
    return pids


def state(pid: int) -> str:
    """The kernel's letter for what a process does, `T` for one that is stopped; empty if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return text[text.rindex(")") + 2]
