"""What the servers of a profile are started from and with: each at its node's address, at the usual ports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.profile import Role
from magnetar.runtime.cli.server_plans import Plans
from magnetar.runtime.servers.cluster.addresses import Asked
from magnetar.runtime.servers.cluster.record import Member
from magnetar.runtime.servers.cluster.record import Role as Part
from magnetar.runtime.servers.postgres import PostgresPlan
from magnetar.runtime.servers.postgres_making import packaged_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from magnetar.chaos.cluster.profile import Profile
    from magnetar.runtime.servers.cluster import ClusterPlan

PARTS = {
    Role.ZOOKEEPER: (Part.ZOOKEEPER, 2181, None),
    Role.BOOKIE: (Part.BOOKIE, 3181, None),
    Role.BROKER: (Part.BROKER, 6650, 8080),
}
"""What is a member of the Pulsar cluster: its part there, and its ports."""
STORE_PORT = 5432
METRICS_PORT = 9464
_MEBIBYTE = 1024 * 1024
# A bookie's disk is small, so that it can be filled: what it writes at a time, and what it wants to have free, too.
_BOOKIE = {
    "logSizeLimit": str(16 * _MEBIBYTE),
    "entryLogFilePreallocationEnabled": "false",
    "minUsableSizeForEntryLogCreation": str(8 * _MEBIBYTE),
    "minUsableSizeForIndexFileCreation": str(4 * _MEBIBYTE),
    "journalPreAllocSizeMB": "1",
    "diskUsageThreshold": "0.95",
    "diskUsageWarnThreshold": "0.95",
    "diskCheckInterval": "1000",
}
# So is the store's: 1 GB of its log would never be written over.
_STORE = {"max_wal_size": "128MB", "min_wal_size": "32MB"}


def members(profile: Profile) -> tuple[Member, ...]:
    """The Pulsar part of a profile."""
    found: list[Member] = []
    for node in profile.nodes:
        if node.role in PARTS:
            part, port, web_port = PARTS[node.role]
            found.append(Member(name=node.name, role=part, port=port, web_port=web_port, host=node.address))
    return tuple(found)


def changes(profile: Profile) -> Mapping[str, Mapping[str, str]]:
    """What is set otherwise than on a developer's machine."""
    names = ("EnsembleSize", "WriteQuorum", "AckQuorum")
    quorum = {f"managedLedgerDefault{name}": str(count) for name, count in zip(names, profile.quorum, strict=True)}
    ours: dict[str, dict[str, str]] = {"bookie": _BOOKIE, "broker": quorum}
    return {name: {**ours.get(name, {}), **profile.settings.get(name, {})} for name in {*ours, *profile.settings}}


def cluster_plan(profile: Profile, data: Path, inside: Callable[[str], AbstractContextManager[None]]) -> ClusterPlan:
    """For ZooKeepers, bookies and brokers. Fetches what is not there; raises any `ServerError`."""
    plan = usual_plan(data, profile.of(Role.BROKER)[0].address)
    return replace(plan, changes=changes(profile), members=members(profile), inside=inside)


def usual_plan(data: Path, host: str) -> ClusterPlan:
    """For the usual members, all of them at one address. Fetches what is not there; raises any `ServerError`."""
    return replace(Plans(data, archive=None).cluster(Asked(host=host)), tied=True)


def provide() -> None:
    """Fetch what `usual_plan` fetches, before an enclosure is entered: nothing outside is reached from in there.

    Shows at a terminal how far it is. Raises any `ServerError`.
    """
    usual_plan(Path(), host="")


def postgres_plan(host: str, data: Path) -> PostgresPlan:
    """For the store, at a port of its own. Raises any `ServerError`."""
    home, version = packaged_postgres()
    return PostgresPlan(home=home, data=data, version=version, host=host)


def store_plan(host: str, data: Path, disk: Path, environ: Mapping[str, str]) -> PostgresPlan:
    """For the store of a cluster, at the usual port, with its database on a small disk. Raises any `ServerError`."""
    return replace(postgres_plan(host, data), port=STORE_PORT, disk=disk, changes=_STORE, environ=environ)
