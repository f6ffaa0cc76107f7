"""A cluster of a profile: up for a block, every process behind the switch, and gone after it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.clocks import Clocks
from magnetar.chaos.cluster.crew import Berth
from magnetar.chaos.cluster.disks import Disks
from magnetar.chaos.cluster.errors import NodeMissing
from magnetar.chaos.cluster.estate import Estate
from magnetar.chaos.cluster.hearing import Hearing
from magnetar.chaos.cluster.janitor import Debts
from magnetar.chaos.cluster.plans import METRICS_PORT, PARTS, cluster_plan, store_plan
from magnetar.chaos.cluster.profile import Role
from magnetar.chaos.cluster.servers import Servers
from magnetar.chaos.cluster.stations import MemberStation, StoreStation
from magnetar.chaos.cluster.switch import Switch
from magnetar.runtime.compose.topics import Cluster
from magnetar.runtime.servers.cluster import ClusterServer
from magnetar.runtime.servers.cluster.record import ClusterLayout
from magnetar.runtime.servers.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from magnetar.chaos.cluster.profile import Node, Profile
    from magnetar.chaos.cluster.stations import Station
    from magnetar.runtime import App


_PULSAR, _POSTGRES, _DISK = "pulsar", "postgres", "disk"
_KEEPERS = (Role.ZOOKEEPER, Role.BOOKIE)


@dataclass(frozen=True, slots=True)
class Berths:
    """Where workers are: a `magnetar.chaos.cluster.crew.Berths`."""

    profile: Profile
    switch: Switch
    clocks: Clocks

    def berth(self, number: int) -> Berth:
        """Of a worker of the profile."""
        node = self.profile.of(Role.WORKER)[number - 1]
        return Berth((*self.switch.prefix(node), *self.clocks.prefix(node)), node.address, METRICS_PORT)


@dataclass(kw_only=True)
class Ground(Servers):
    """The network and the servers in it.

    `stations` has the servers; whoever starts workers, a provider or a load (`berths`, `inside`) adds theirs.
    `took`: seconds from nothing to ready.
    """

    profile: Profile
    estate: Estate
    debts: Debts
    switch: Switch
    hearing: Hearing
    disks: Disks
    clocks: Clocks
    stations: dict[str, Station]
    took: float

    @property
    def berths(self) -> Berths:
        """For a crew."""
        return Berths(self.profile, self.switch, self.clocks)

    def inside(self, name: str) -> AbstractContextManager[None]:
        """A block in which what this thread starts is at a node."""
        return self.switch.inside(self.profile.node(name))

    def station(self, node: Node) -> Station:
        """What is at a node. Raises `NodeMissing`, also where nothing was started."""
        found = self.stations.get(node.name)
        if found is None:
            raise NodeMissing(node.name, tuple(self.stations))
        return found


@contextmanager
def raised(profile: Profile, app: App, folder: Path, run: str, *, before: Sequence[App] = ()) -> Generator[Ground]:
    """A cluster that is ready, with this app's topics, for the block; its data is below `folder`.

    `before`: the app as it was in releases before: their schemas are older versions of its topics.

    Only inside an enclosure, by the thread that entered it. Raises any `ServerError`, `BusError` and `ChaosError`.
    """
    began, wiring, estate = time.monotonic(), app.wire(), Estate(run, folder)
    with ExitStack() as opened:
        switch = Switch(estate, profile.nodes)
        hearing = opened.enter_context(Hearing(switch, profile.nodes))
        debts = Debts(folder)
        disks = _mounted(profile, estate, debts, folder)
        clocks = Clocks([*profile.of(Role.STORE), *profile.of(Role.WORKER)])
        pulsar, at_store = _started(profile, switch, clocks, folder, opened)
        for each in (*(release.wire() for release in before), wiring):
            with Cluster(pulsar.admin_url, each) as topics:
                topics.apply()
        disks.settle()
        yield Ground(
            profile=profile,
            wiring=wiring,
            estate=estate,
            debts=debts,
            switch=switch,
            hearing=hearing,
            disks=disks,
            clocks=clocks,
            pulsar=pulsar,
            postgres=at_store.server,
            stations=_stations(profile, pulsar, at_store),
            took=time.monotonic() - began,
        )


def _mounted(profile: Profile, estate: Estate, debts: Debts, folder: Path) -> Disks:
    """A disk for whoever keeps what others rely on, where its server lays it out."""
    layout = ClusterLayout(folder / _PULSAR)
    members = [node for node in profile.nodes if node.role in _KEEPERS]
    (store,) = profile.of(Role.STORE)
    places = {node.name: layout.member(node.name).data for node in members}
    disks = Disks(estate, debts, {**places, store.name: folder / _POSTGRES / _DISK})
    for node in (*members, store):
        disks.mount(node)
    return disks


def _started(
    profile: Profile, switch: Switch, clocks: Clocks, folder: Path, opened: ExitStack
) -> tuple[ClusterServer, StoreStation]:
    """Both at once. On the way out nobody needs what they would write down."""
    (store,) = profile.of(Role.STORE)
    plan = cluster_plan(profile, folder / _PULSAR, lambda name: switch.inside(profile.node(name)))
    at = folder / _POSTGRES
    pulsar = ClusterServer(plan)
    postgres = PostgresServer(store_plan(store.address, at, at / _DISK, clocks.environ(store)))
    at_store = StoreStation(store, postgres, switch)
    opened.callback(pulsar.kill_all)
    opened.callback(postgres.kill)
    with ThreadPoolExecutor(2) as pool:
        for starting in [pool.submit(pulsar.start), pool.submit(at_store.start)]:
            starting.result()
    return pulsar, at_store


def _stations(profile: Profile, pulsar: ClusterServer, at_store: StoreStation) -> dict[str, Station]:
    members = (node for node in profile.nodes if node.role in PARTS)
    return {at_store.node.name: at_store, **{node.name: MemberStation(node, pulsar) for node in members}}
