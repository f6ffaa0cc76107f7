"""Reaches broker, bus and store for the doctor, and has it judge what they say. Needs the extra `admin`."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusError, Refused
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.compose.places import wanted_of
from magnetar.runtime.operate.doctor import examine
from magnetar.runtime.operate.doctor.facts import Facts, Unanswered
from magnetar.runtime.operate.doctor.gathering import ask_bus, ask_cluster, ask_store
from magnetar.runtime.store.port import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.bus.pulsar.access import Access
    from magnetar.runtime.bus.pulsar.wanted import Wanted
    from magnetar.runtime.compose.places import BusPlace, StorePlace
    from magnetar.runtime.operate.doctor import Finding
    from magnetar.runtime.operate.doctor.facts import ClusterFacts, StoreFacts
    from magnetar.runtime.wiring import Wiring


def examination(
    target: str,
    wiring: Wiring,
    admin: str,
    bus: BusPlace,
    store: StorePlace,
    *,
    backup_age: float,
    access: Access | None = None,
) -> list[Finding]:
    """Ask each of them, and judge; blocks for seconds. What does not answer is a finding, never an error.

    Args:
        target: the app as on the command line.
        wiring: the same, compiled.
        admin: the cluster's REST API: `http://host:8080`.
        bus: as workers reach the broker.
        store: the store.
        backup_age: age of the oldest backup that may be restored, in seconds.
        access: who we are to the REST API, at the address given and at each broker's own.
    """
    wanted = wanted_of(wiring)
    return examine(
        Facts(
            target=target,
            wanted=wanted,
            actors=wiring.partitions(),
            backup_age=backup_age,
            cluster=_cluster(admin, wanted, access),
            bus=_bus(bus, wanted),
            store=_store(store),
        )
    )


def _cluster(url: str, wanted: Wanted, access: Access | None) -> ClusterFacts | Unanswered:
    try:
        with Admin(url, access=access) as admin:
            return ask_cluster(admin, wanted, partial(Admin, access=access))
    except Refused as problem:  # certificates that cannot be used
        return Unanswered(str(problem))


def _bus(place: BusPlace, wanted: Wanted) -> Mapping[str, int] | Unanswered:
    try:
        with closing(place.connect("doctor")) as bus:
            return ask_bus(bus, [topic.name for topic in wanted.topics])
    except BusError as problem:
        return Unanswered(str(problem))


def _store(place: StorePlace) -> StoreFacts | Unanswered:
    try:
        with closing(place.views()) as views:
            return ask_store(views)
    except StoreError as problem:
        return Unanswered(str(problem))
