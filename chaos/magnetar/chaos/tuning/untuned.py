"""The product without what it does about silent brokers, and brokers as they are shipped.

R32: a worker that leaves all of it to the client waits until that notices, and asks silent hosts where topics are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from magnetar.chaos.zoo.bug import Change, Promise
from magnetar.chaos.zoo.cluster.bug import ClusterBug
from magnetar.runtime.bus.pulsar.probing import Doubt, Probes
from magnetar.runtime.worker.ownership import Ownership

if TYPE_CHECKING:
    from magnetar.chaos.cluster.profile import Profile


def _nothing(*_: object) -> None:
    pass


def _nobody(*_: object) -> frozenset[str]:
    return frozenset()


def _never(*_: object) -> bool:
    return False


BUG: Final = ClusterBug(
    __name__,
    rules=("R32",),
    promise=Promise.REPLACED,
    play="S11",
    caught_by="gap",
    changes=(
        Change(Ownership, "_watch_connection", _nothing),
        Change(Ownership, "_watch_broker", _nothing),
        Change(Probes, "silent", _nobody),
        Change(Doubt, "holds", _never),
    ),
)

SHIPPED: Final = {
    "broker": {
        "metadataStoreSessionTimeoutMillis": "30000",
        "connectionLivenessCheckTimeoutMillis": "5000",
        "managedLedgerNewEntriesCheckDelayInMillis": "10",
        "zookeeperSessionExpiredPolicy": "reconnect",
    },
    "zookeeper": {"maxSessionTimeout": "40000"},
}
"""What `conf/broker.conf` of the distribution says, and ZooKeeper's longest session by its own tick of 2 s."""


def as_shipped(profile: Profile) -> Profile:
    """The same, with brokers as they are shipped."""
    return replace(profile, settings=SHIPPED)
