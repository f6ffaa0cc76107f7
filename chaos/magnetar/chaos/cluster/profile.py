"""Who is in a cluster, and where: pure, and the same for every run of one profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.errors import NodeMissing, ProfileRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

NETWORK = "10.213.0"
"""The first three parts of every address; each cluster has this network to itself."""
WIDTH = 24
_MOST = 9


class Role(Enum):
    """What a node is for; the value is where its addresses begin."""

    CONTROL = 1
    ZOOKEEPER = 10
    BOOKIE = 20
    BROKER = 30
    STORE = 40
    WORKER = 50
    PROVIDER = 60
    LOAD = 70

    @property
    def word(self) -> str:
        """As names begin with it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Node:
    """One place of the cluster, with a network namespace and an address of its own. `number`: from 1, in its role."""

    role: Role
    number: int

    @property
    def name(self) -> str:
        """`broker-2`; of the roles that only one can have, the role's word."""
        return f"{self.role.word}-{self.number}" if self.role in _SEVERAL else self.role.word

    @property
    def address(self) -> str:
        """In the cluster's network."""
        return f"{NETWORK}.{self._last}"

    @property
    def mac(self) -> str:
        """Of its interface: fixed, so that nobody need ask who has an address."""
        return f"02:00:00:00:00:{self._last:02x}"

    @property
    def _last(self) -> int:
        return self.role.value + self.number - 1


_SEVERAL = frozenset({Role.ZOOKEEPER, Role.BOOKIE, Role.BROKER, Role.WORKER})
CONTROL = Node(Role.CONTROL, 1)
"""Whoever plays the run: in the network as well, and never cut from anybody."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How many of each, and how many bookies an entry is on: ensemble, write quorum, ack quorum.

    `settings`: of servers by role, over those that we run them with. Raises `ProfileRefused` for what cannot run.
    """

    name: str
    zookeepers: int
    bookies: int
    brokers: int
    workers: int
    quorum: tuple[int, int, int]
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        """Check it."""
        for role, count in self._counts.items():
            if not 1 <= count <= _MOST:
                raise ProfileRefused(self.name, f"{count} of {role.word}: 1 to {_MOST} can be had")
        if self.zookeepers % 2 == 0:
            raise ProfileRefused(self.name, f"{self.zookeepers} ZooKeepers: an odd number has a majority")
        ensemble, written, acknowledged = self.quorum
        if not 1 <= acknowledged <= written <= ensemble <= self.bookies:
            raise ProfileRefused(self.name, f"quorum {self.quorum} on {self.bookies} bookies")

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All but `CONTROL`, in the order in which they need each other."""
        return tuple(Node(role, number) for role, count in self._counts.items() for number in range(1, count + 1))

    def of(self, role: Role) -> tuple[Node, ...]:
        """Those of a role."""
        return tuple(node for node in self.nodes if node.role is role)

    def node(self, name: str) -> Node:
        """By name. Raises `NodeMissing`."""
        found = next((node for node in self.nodes if node.name == name), None)
        if found is None:
            raise NodeMissing(name, tuple(node.name for node in self.nodes))
        return found

    def at(self, address: str) -> Node:
        """By address. Raises `NodeMissing`."""
        found = next((node for node in self.nodes if node.address == address), None)
        if found is None:
            raise NodeMissing(address, tuple(node.address for node in self.nodes))
        return found

    @property
    def spare(self) -> Mapping[Role, int]:
        """The fault budget: how many of a role may be away while everything must go on."""
        return {
            Role.ZOOKEEPER: (self.zookeepers - 1) // 2,
            Role.BOOKIE: self.bookies - self.quorum[0],  # a new ledger needs a whole ensemble
            Role.BROKER: self.brokers - 1,
            Role.STORE: 0,
            Role.WORKER: self.workers - 1,
        }

    @property
    def _counts(self) -> Mapping[Role, int]:
        return {
            Role.ZOOKEEPER: self.zookeepers,
            Role.BOOKIE: self.bookies,
            Role.BROKER: self.brokers,
            Role.STORE: 1,
            Role.WORKER: self.workers,
            Role.PROVIDER: 1,
            Role.LOAD: 1,
        }


FULL = Profile(name="full", zookeepers=3, bookies=4, brokers=3, workers=3, quorum=(3, 3, 2))
SMALL = Profile(name="small", zookeepers=1, bookies=3, brokers=2, workers=2, quorum=(2, 2, 2))
PROFILES = {profile.name: profile for profile in (FULL, SMALL)}
