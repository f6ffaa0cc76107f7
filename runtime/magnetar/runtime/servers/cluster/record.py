"""What a cluster's directory knows of it: who its members are, where each answers, and which process it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.servers.errors import UnknownMember
from magnetar.runtime.servers.record import read_state, write_state

if TYPE_CHECKING:
    from pathlib import Path


class Role(Enum):
    """What a member is for."""

    ZOOKEEPER = "zookeeper"
    BOOKIE = "bookie"
    BROKER = "broker"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One process of a cluster: its name, what it is for, where it listens; only brokers have a REST API.

    `host` is an address of its own, for one that lives in a network of its own; None: the cluster's.
    """

    name: str
    role: Role
    port: int
    web_port: int | None = None
    host: str | None = None


ROLES = {
    "zookeeper": Role.ZOOKEEPER,
    "bookie-1": Role.BOOKIE,
    "bookie-2": Role.BOOKIE,
    "bookie-3": Role.BOOKIE,
    "broker-1": Role.BROKER,
    "broker-2": Role.BROKER,
}
"""Every member of a cluster whose plan names no others, in the order in which they need each other."""


class ClusterAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Which release a cluster runs, and where. Kept for life: bookies are known by host and port in their data."""

    version: str
    host: str
    members: tuple[Member, ...]

    def member(self, name: str) -> Member:
        """One by name; raises `UnknownMember`."""
        found = next((member for member in self.members if member.name == name), None)
        if found is None:
            raise UnknownMember(name, self.names)
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Of every member."""
        return tuple(member.name for member in self.members)

    @property
    def roles(self) -> dict[str, Role]:
        """What every member is for."""
        return {member.name: member.role for member in self.members}

    def host_of(self, member: Member) -> str:
        """The address that a member listens on."""
        return member.host or self.host

    @property
    def zookeepers(self) -> tuple[Member, ...]:
        """One, or an ensemble; each of an ensemble has an address of its own."""
        return tuple(member for member in self.members if member.role is Role.ZOOKEEPER)

    @property
    def brokers(self) -> tuple[Member, ...]:
        """Those that clients talk to."""
        return tuple(member for member in self.members if member.role is Role.BROKER)

    @property
    def service_url(self) -> str:
        """For clients that publish and consume: every broker, so that one of them may be away."""
        return f"pulsar://{','.join(f'{self.host_of(broker)}:{broker.port}' for broker in self.brokers)}"

    @property
    def admin_urls(self) -> tuple[str, ...]:
        """For the REST API: one a broker; each answers for the whole cluster."""
        return tuple(f"http://{host}" for host in self._web_hosts)

    @property
    def admin_url(self) -> str:
        """The REST API with every broker, so that one of them may be away: `http://host:port,host:port`."""
        return f"http://{','.join(self._web_hosts)}"

    @property
    def _web_hosts(self) -> tuple[str, ...]:
        return tuple(f"{self.host_of(broker)}:{broker.web_port}" for broker in self.brokers)

    @property
    def metadata_url(self) -> str:
        """Where bookies and brokers find each other."""
        return f"zk:{','.join(f'{self.host_of(member)}:{member.port}' for member in self.zookeepers)}"


@dataclass(frozen=True, slots=True)
class MemberLayout:
    """The paths of one member's own directory."""

    directory: Path

    @property
    def lock(self) -> Path:
        """Held by the member's process for as long as it lives, and before that by whoever is about to start it."""
        return self.directory / "lock"

    @property
    def pid_file(self) -> Path:
        """Which process it is or was."""
        return self.directory / "pid.json"

    @property
    def settings(self) -> Path:
        """Written anew at each start."""
        return self.directory / "settings.conf"

    @property
    def logs(self) -> Path:
        """The log since the cluster was last started, and the one before it."""
        return self.directory / "logs"

    @property
    def log(self) -> Path:
        """All that the member prints."""
        return self.logs / "server.log"

    @property
    def scratch(self) -> Path:
        """Java's temporary files; emptied at each start."""
        return self.directory / "tmp"

    @property
    def data(self) -> Path:
        """What it keeps."""
        return self.directory / "data"


@dataclass(frozen=True, slots=True)
class ClusterLayout:
    """The paths inside one cluster's directory."""

    data: Path

    @property
    def lock(self) -> Path:
        """Held by the one process that supervises the cluster."""
        return self.data / "lock"

    @property
    def turn(self) -> Path:
        """Held by a command that brings the cluster up or down, while it does."""
        return self.data / "turn"

    @property
    def address(self) -> Path:
        """Where the cluster answers or last answered."""
        return self.data / "cluster.json"

    @property
    def prepared(self) -> Path:
        """There once ZooKeeper holds what bookies and brokers look for."""
        return self.data / "prepared"

    @property
    def plan(self) -> Path:
        """What the supervisor of a cluster that lives on needs to know."""
        return self.data / "plan.json"

    @property
    def supervisor(self) -> MemberLayout:
        """The supervisor's own record and log."""
        return MemberLayout(self.data / "supervisor")

    @property
    def preparation(self) -> MemberLayout:
        """The process that prepares ZooKeeper, once."""
        return MemberLayout(self.data / "preparation")

    @property
    def restarts(self) -> Path:
        """How often the supervisor has started each member again."""
        return self.data / "restarts.json"

    def member(self, name: str) -> MemberLayout:
        """One member's own directory."""
        return MemberLayout(self.data / name)

    def read_address(self) -> ClusterAddress | None:
        """Where the cluster of this directory last answered, or None for a new one; raises `StateUnreadable`."""
        return read_state(self.address, ClusterAddress)

    def write_address(self, address: ClusterAddress) -> None:
        """Replace it as a whole, on the disk before it is seen."""
        write_state(self.address, address)
