"""Asks the brokers, the bus and the store. What one of them does not answer is a fact too: it hides no other."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from magnetar.runtime.bus.port import BusError, BusUnavailable, TopicMissing
from magnetar.runtime.bus.pulsar.applying import survey
from magnetar.runtime.operate.doctor.facts import BrokerFacts, ClusterFacts, Offset, StoreFacts, Unanswered
from magnetar.runtime.operate.doctor.rules import RULES
from magnetar.runtime.operate.fleet import is_alive
from magnetar.runtime.store.port import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from magnetar.runtime.bus.port import Bus
    from magnetar.runtime.bus.pulsar.admin import Admin
    from magnetar.runtime.bus.pulsar.wanted import Wanted
    from magnetar.runtime.store.views import Views

ON_TOPICS = (*(rule.on_topic for rule in RULES if rule.on_topic), "persistence")
"""The policies that a topic may have of its own."""


def ask_cluster(admin: Admin, wanted: Wanted, reach: Callable[[str], Admin]) -> ClusterFacts | Unanswered:
    """All of a cluster's facts. Blocks for some dozens of calls.

    Args:
        admin: any broker's REST API.
        wanted: the app's namespace.
        reach: makes the client of one broker, by the address of its REST API.
    """
    try:
        brokers, unanswered = _brokers(admin, reach)
        actual = survey(admin, wanted)
        own = all(broker.settings.get("topicLevelPoliciesEnabled") != "false" for broker in brokers)
        full = {name: wanted.full(name) for name in actual.topics} if own else {}
        return ClusterFacts(
            brokers=brokers,
            unanswered=unanswered,
            changeable=admin.changeable(),
            bookies=admin.bookies(),
            actual=actual,
            overrides={name: _overrides(admin, topic) for name, topic in full.items()},
        )
    except BusError as problem:
        return Unanswered(str(problem))


def ask_bus(bus: Bus, topics: Iterable[str]) -> Mapping[str, int] | Unanswered:
    """The number of partitions of each topic that exists. Blocks up to the client's time-out for each."""
    found: dict[str, int] = {}
    for topic in topics:
        try:
            found[topic] = bus.partitions(topic)
        except TopicMissing:
            continue  # an answer as well: that it is missing is told by the plan
        except BusError as problem:
            return Unanswered(str(problem))
    return found


def ask_store(views: Views) -> StoreFacts | Unanswered:
    """All of a store's facts."""
    try:
        began = time.time()
        now = views.now()
        clock = measured(now / 1e6, now / 1e6, began, time.time())
        return StoreFacts(
            settings=views.settings(),
            shards=Counter(row.shard.rpartition("/")[0] for row in views.shards()),
            workers=sum(is_alive(member, now) for member in views.members()),
            clock=clock,
        )
    except StoreError as problem:
        return Unanswered(str(problem))


def measured(least: float, most: float, began: float, ended: float) -> Offset:
    """How far a clock is ahead that said a time between `least` and `most`, at some moment of the question.

    All are seconds; the question's beginning and end are by this machine's clock.
    """
    return Offset(least - ended, most - began)


def _brokers(admin: Admin, reach: Callable[[str], Admin]) -> tuple[tuple[BrokerFacts, ...], Mapping[str, Unanswered]]:
    names = admin.brokers()
    if len(names) <= 1:
        return (_broker(admin, names[0] if names else admin.url),), {}
    over_tls = urlsplit(admin.url).scheme == "https"
    settings = admin.settings() if over_tls else dict[str, str]()
    found: list[BrokerFacts] = []
    unanswered: dict[str, Unanswered] = {}
    for name in sorted(names):
        try:
            with reach(_tls_address(name, settings) if over_tls else f"http://{name}") as own:
                found.append(_own(_broker(own, name), own.url))
        except BusError as problem:
            unanswered[name] = Unanswered(str(problem))
    return tuple(found) or (_broker(admin, admin.url),), unanswered


def _tls_address(name: str, settings: Mapping[str, str]) -> str:
    """A broker is named by its port for plain HTTP if it has one: the one for TLS is taken to be every broker's."""
    host, _, port = name.rpartition(":")
    tls = _port(settings, "webServicePortTls") if _port(settings, "webServicePort") else None
    return f"https://{host}:{tls or port}"


def _own(broker: BrokerFacts, url: str) -> BrokerFacts:
    """The same; `BusUnavailable` when the one that answers says that it is another (two of them on one host)."""
    ports = {_port(broker.settings, name) for name in ("webServicePort", "webServicePortTls")} - {None}
    if ports and broker.name.rpartition(":")[2] not in ports:
        raise BusUnavailable(f"another broker answers at {url}")
    return broker


def _port(settings: Mapping[str, str], name: str) -> str | None:
    """Told as `Optional[8080]` or `Optional.empty`, Java's words for it; None where it is not set."""
    found = re.search(r"\d+", settings.get(name, ""))
    return None if found is None else found[0]


def _broker(admin: Admin, name: str) -> BrokerFacts:
    began = time.time()
    identity = admin.identify()
    said = identity.clock.timestamp()
    clock = measured(said, said + 1, began, time.time())  # it says whole seconds
    return BrokerFacts(name, identity.version, admin.settings(), clock)


def _overrides(admin: Admin, topic: str) -> Mapping[str, object]:
    seen = {name: admin.policy_of(topic, name) for name in ON_TOPICS}
    return {name: value for name, value in seen.items() if value is not None}
