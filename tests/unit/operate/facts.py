"""A system with which nothing is wrong, to be spoilt in one place by each test."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from magnetar.runtime.bus.pulsar.provisioning import Actual, ActualTopic, Fit
from magnetar.runtime.bus.pulsar.wanted import Wanted, WantedTopic, policies
from magnetar.runtime.operate.doctor import Finding, Severity, examine
from magnetar.runtime.operate.doctor.brokers import SETTINGS
from magnetar.runtime.operate.doctor.facts import BrokerFacts, ClusterFacts, Facts, Offset, StoreFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY = 86_400.0
ORDERS = WantedTopic(name="orders", partitions=3, schema="{}", subscriptions=("magnetar-orders",))
EVENTS = WantedTopic(name="orders-events", partitions=2)
WANTED = Wanted(application="shop", topics=(ORDERS, EVENTS))
TOGETHER = Offset(-0.2, 0.9)

BROKER_SETTINGS = {setting.name: setting.value for setting in SETTINGS} | {
    "managedLedgerDefaultEnsembleSize": "2",
    "managedLedgerDefaultWriteQuorum": "2",
    "managedLedgerDefaultAckQuorum": "2",
    "brokerDeduplicationEnabled": "true",
    "defaultRetentionTimeInMinutes": "10080",
    "defaultRetentionSizeInMB": "-1",
    "ttlDurationDefaultInSeconds": "0",
    "backlogQuotaDefaultRetentionPolicy": "producer_request_hold",
    "backlogQuotaDefaultLimitBytes": "-1",
    "backlogQuotaDefaultLimitGB": "-1",
    "backlogQuotaDefaultLimitSecond": "-1",
    "subscriptionExpirationTimeMinutes": "0",
    "schemaCompatibilityStrategy": "BACKWARD_TRANSITIVE",
    "isSchemaValidationEnforced": "true",
    "isAllowAutoUpdateSchemaEnabled": "false",
    "allowAutoTopicCreation": "false",
    "allowAutoSubscriptionCreation": "false",
    "brokerDeleteInactiveTopicsEnabled": "false",
}
SQLITE = {"product": "sqlite", "journal_mode": "wal", "synchronous": "2"}
POSTGRESQL = {
    "product": "postgresql",
    "server_version_num": "180001",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "100",
    "idle_in_transaction_session_timeout": "2000",
    "default_transaction_isolation": "read committed",
}


def provisioned() -> dict[str, object]:
    """The namespace's policies as the broker shows them when provisioning has set them all."""
    found: dict[str, object] = {}
    for policy in policies(WANTED):
        *outer, last = policy.read
        inner = policy.value
        if policy.name.startswith("auto"):
            found[policy.read[0]] = inner
        elif outer:
            found[outer[0]] = {last: inner}
        else:
            found[last] = inner
    return found


def _complete(topic: WantedTopic) -> ActualTopic:
    there = range(topic.partitions)
    subscriptions = {number: frozenset(topic.subscriptions) for number in there}
    return ActualTopic(
        partitions=topic.partitions, present=frozenset(there), subscriptions=subscriptions, fit=Fit.KNOWN
    )


BROKER = BrokerFacts("broker-1:8080", "4.0.8", BROKER_SETTINGS, TOGETHER)
ACTUAL = Actual(
    clusters=("c",),
    tenants=frozenset({"public"}),
    policies=provisioned(),
    topics={topic.name: _complete(topic) for topic in WANTED.topics},
)
CLUSTER = ClusterFacts(brokers=(BROKER,), bookies=3, actual=ACTUAL)
STORE = StoreFacts(settings=SQLITE, shards={"orders": 3}, workers=2, clock=Offset(0.0, 0.0))
WELL = Facts(
    target="shop:app",
    wanted=WANTED,
    actors={"orders": 3},
    backup_age=7 * DAY,
    cluster=CLUSTER,
    bus={"orders": 3, "orders-events": 2},
    store=STORE,
)


def with_cluster(cluster: ClusterFacts) -> Facts:
    """The same system on another cluster."""
    return replace(WELL, cluster=cluster)


def with_settings(**settings: str | None) -> Facts:
    """Other settings of the broker; None: it does not tell."""
    changed = {**BROKER_SETTINGS, **settings}
    told = {name: value for name, value in changed.items() if value is not None}
    return with_cluster(replace(CLUSTER, brokers=(replace(BROKER, settings=told),)))


def with_policies(changed: Mapping[str, object]) -> Facts:
    """Other policies of the namespace, by the names under which they are read."""
    there = cast("dict[str, object]", ACTUAL.policies)
    return with_cluster(replace(CLUSTER, actual=replace(ACTUAL, policies={**there, **changed})))


def with_override(topic: str, **policies_: object) -> Facts:
    """Policies set on a topic itself."""
    return with_cluster(replace(CLUSTER, overrides={topic: policies_}))


def with_store(**changed: str) -> Facts:
    """Other settings of a PostgreSQL store."""
    return replace(WELL, store=replace(STORE, settings={**POSTGRESQL, **changed}))


def ill(facts: Facts) -> list[Finding]:
    """What is not well."""
    return [finding for finding in examine(facts) if finding.severity is not Severity.OK]


def told(facts: Facts) -> list[tuple[str, str]]:
    """What is not well: check and severity."""
    return [(finding.check, finding.severity.value) for finding in ill(facts)]
