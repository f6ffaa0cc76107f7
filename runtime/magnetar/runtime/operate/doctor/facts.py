"""What the doctor knows of a system when it judges. Plain values: whoever made them has asked everybody already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.bus.pulsar.provisioning import Actual
    from magnetar.runtime.bus.pulsar.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A part of the system that could not be asked, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Offset:
    """How far another clock is ahead of this machine's: somewhere between the two, in seconds."""

    least: float
    most: float

    @property
    def smallest(self) -> float:
        """The smallest difference that explains what was seen, as a length."""
        return max(0.0, self.least, -self.most)

    def beside(self, other: Offset) -> Offset:
        """How far this clock is ahead of the other one."""
        return Offset(self.least - other.most, self.most - other.least)


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """One broker: its name (host and port of its REST API), version, and all its settings in force."""

    name: str
    version: str
    settings: Mapping[str, str]
    clock: Offset


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """The brokers, and the application's namespace.

    Args:
        brokers: those that answered, and those that did not.
        changeable: the settings that a broker takes over REST, without a restart.
        bookies: how many there are.
        actual: the namespace and its topics, as provisioning sees them.
        overrides: by short topic name: the policies set on the topic itself, by their REST names.
    """

    brokers: tuple[BrokerFacts, ...]
    unanswered: Mapping[str, Unanswered] = field(default_factory=dict[str, Unanswered])
    changeable: frozenset[str] = frozenset()
    bookies: int
    actual: Actual
    overrides: Mapping[str, Mapping[str, object]] = field(default_factory=dict[str, "Mapping[str, object]"])


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFacts:
    """The store.

    Args:
        settings: in force for a worker's connection, by the database's own names; see `Views.settings`.
        shards: actor → how many shards it has in the store.
        workers: how many are alive; None where nobody could say.
        clock: its clock beside this machine's.
    """

    settings: Mapping[str, str]
    shards: Mapping[str, int]
    workers: int | None
    clock: Offset | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The whole system.

    Args:
        target: the app as on the command line, for the commands that are told.
        wanted: what the app wants of the cluster.
        actors: actor → partitions, as the app declares them.
        backup_age: age of the oldest backup that may be restored, in seconds.
        bus: topic → partitions, as the client sees them through the bus.
    """

    target: str
    wanted: Wanted
    actors: Mapping[str, int]
    backup_age: float
    cluster: ClusterFacts | Unanswered
    bus: Mapping[str, int] | Unanswered
    store: StoreFacts | Unanswered
