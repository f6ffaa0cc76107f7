"""Who plays which part at this moment, asked of those who decide it: an answer may be out of date when it is used."""

from __future__ import annotations

import http.client
import re
import urllib.request
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from magnetar.chaos.cluster.errors import NoOwner
from magnetar.chaos.cluster.profile import Role
from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from magnetar.runtime.routing import partition_of
from magnetar.runtime.servers.cluster.answering import word

if TYPE_CHECKING:
    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.profile import Node
    from magnetar.runtime.store.port import ShardName

_SECONDS = 5.0
_LEADS = re.compile(r"^Mode: (leader|standalone)$", re.MULTILINE)
_ENSEMBLE = re.compile(r"\d+=\[([^\]]*)\]")
_T = TypeVar("_T")


class _Lookup(msgspec.Struct):
    url: str = msgspec.field(name="httpUrl")


class Ledger(msgspec.Struct, frozen=True):
    """One of a topic's ledgers, the newest of which is written to."""

    number: int = msgspec.field(name="ledgerId")
    metadata: str = ""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The bookies that its newest entries are on."""
        ensembles = _ENSEMBLE.findall(self.metadata)
        return tuple(place.strip().rpartition(":")[0] for place in ensembles[-1].split(",")) if ensembles else ()


class _Insides(msgspec.Struct):
    ledgers: list[Ledger]


def topic_of(ground: Ground, topic: str, key: str) -> str:
    """The full name of the partition that a key's messages are in: `topic_of(ground, "orders", "o-17")`."""
    count = ground.wiring.topics[topic].partitions or 1
    return settings(ground).partition(topic, partition_of(key, count))


def settings(ground: Ground) -> PulsarSettings:
    """How topics are named in full."""
    return PulsarSettings(service_url=ground.bus_url, application=ground.wiring.app)


def owner(ground: Ground, topic: str) -> Node:
    """The broker that has a topic (its full name). Raises `NoOwner`."""
    return ground.profile.at(str(urlsplit(host(ground, topic)).hostname))


def ledger(ground: Ground, topic: str) -> Ledger:
    """The one that a topic's next message goes to. Raises `NoOwner`."""
    path = f"{host(ground, topic)}/admin/v2/{path_of(topic)}/internalStats?metadata=true"
    found = asked("GET", path, _Insides, f"the broker of {topic}").ledgers
    if not found:
        raise NoOwner(f"the ledger of {topic}", "it has none yet")
    return found[-1]


def bookies(ground: Ground, topic: str) -> tuple[Node, ...]:
    """Those of the ledger that a topic's next message goes to. Raises `NoOwner`."""
    hosts = ledger(ground, topic).hosts
    if not hosts:
        raise NoOwner(f"a bookie of {topic}", "its ledger does not say where it is")
    return tuple(ground.profile.at(host) for host in hosts)


def leader(ground: Ground) -> Node:
    """The ZooKeeper that decides, or the only one. Raises `NoOwner`."""
    for node in ground.profile.of(Role.ZOOKEEPER):
        member = ground.pulsar.address.member(node.name)
        if _LEADS.search(word(node.address, member.port, "srvr")):
            return node
    raise NoOwner("the ZooKeeper leader", "none of them says that it is")


def worker(ground: Ground, shard: ShardName) -> Node:
    """The worker that owns a shard, by the store's word. Raises `NoOwner` and `StoreError`."""
    views = ground.store.views()
    try:
        owners = {row.shard: row.owner for row in views.shards()}
    finally:
        views.close()
    pid = owners.get(shard, "").rpartition(":")[2]
    for node in ground.profile.of(Role.WORKER):
        station = ground.stations.get(node.name)
        if station is not None and pid in {str(each) for each in station.pids()}:
            return node
    raise NoOwner(f"the worker of {shard}", f"the store names {owners.get(shard) or 'nobody'}")


def host(ground: Ground, topic: str) -> str:
    """The REST address of the broker that has a topic, asked of whoever answers. Raises `NoOwner`."""
    path = f"/lookup/v2/topic/{path_of(topic)}"
    reason = ""
    for url in ground.pulsar.admin_urls:
        try:
            return asked("GET", url + path, _Lookup, f"the broker of {topic}").url
        except NoOwner as problem:
            reason = str(problem)
    raise NoOwner(f"the broker of {topic}", reason)


def asked(method: str, url: str, kind: type[_T] | None, part: str) -> _T:
    """What the REST API of a broker answers. Raises `NoOwner`, in which `part` says who was asked."""
    request = urllib.request.Request(url, method=method)  # noqa: S310 - our own brokers
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            said = answer.read()
        return msgspec.json.decode(said or b"null", type=kind)
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as problem:
        raise NoOwner(part, f"{method} {url}: {problem}") from problem


def path_of(topic: str) -> str:
    """A topic (its full name) in a path of the REST API."""
    return f"persistent/{quote(topic.removeprefix('persistent://'))}"
