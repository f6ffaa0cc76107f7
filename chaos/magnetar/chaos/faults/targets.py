"""Whom a fault is aimed at: by name, or by the part that somebody plays when it strikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from magnetar.chaos.cluster import parts

if TYPE_CHECKING:
    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.profile import Node, Role
    from magnetar.runtime.store.port import ShardName


class Target(Protocol):
    """Plain data."""

    @property
    def title(self) -> str:
        """In words."""
        ...

    def resolve(self, ground: Ground) -> tuple[Node, ...]:
        """Who that is now. Raises `NodeMissing` and `NoOwner`."""
        ...


@dataclass(frozen=True, slots=True)
class Named:
    """Certain nodes."""

    names: tuple[str, ...]

    @property
    def title(self) -> str:
        """See `Target`."""
        return ", ".join(self.names)

    def resolve(self, ground: Ground) -> tuple[Node, ...]:
        """See `Target`."""
        return tuple(ground.profile.node(name) for name in self.names)


@dataclass(frozen=True, slots=True)
class Every:
    """All of a role, or the first `count`."""

    role: Role
    count: int | None = None

    @property
    def title(self) -> str:
        """See `Target`."""
        return f"{'every' if self.count is None else self.count} {self.role.word}"

    def resolve(self, ground: Ground) -> tuple[Node, ...]:
        """See `Target`."""
        return ground.profile.of(self.role)[: self.count]


@dataclass(frozen=True, slots=True)
class BrokerOf:
    """The broker that has the partition of a key: `BrokerOf("orders", "o-17")`."""

    topic: str
    key: str

    @property
    def title(self) -> str:
        """See `Target`."""
        return f"the broker of {self.topic}/{self.key}"

    def resolve(self, ground: Ground) -> tuple[Node, ...]:
        """See `Target`."""
        return (parts.owner(ground, parts.topic_of(ground, self.topic, self.key)),)


@dataclass(frozen=True, slots=True)
class BookiesOf:
    """The first `count` bookies of the ledger that a key's next message goes to."""

    topic: str
    key: str
    count: int = 1

    @property
    def title(self) -> str:
        """See `Target`."""
        return f"{self.count} of the bookies of {self.topic}/{self.key}"

    def resolve(self, ground: Ground) -> tuple[Node, ...]:
        """See `Target`."""
        return parts.bookies(ground, parts.topic_of(ground, self.topic, self.key))[: self.count]


@dataclass(frozen=True, slots=True)
class WorkerOf:
    """The worker that owns a shard."""

    shard: ShardName

    @property
    def title(self) -> str:
        """See `Target`."""
        return f"the worker of {self.shard}"

    def resolve(self, ground: Ground) -> tuple[Node, ...]:
        """See `Target`."""
        return (parts.worker(ground, self.shard),)


@dataclass(frozen=True, slots=True)
class Leader:
    """The ZooKeeper that decides."""

    title: str = "the ZooKeeper leader"

    def resolve(self, ground: Ground) -> tuple[Node, ...]:
        """See `Target`."""
        return (parts.leader(ground),)
