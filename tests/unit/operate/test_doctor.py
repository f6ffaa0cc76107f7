"""The doctor finds what is wrong, nothing else, and says what to change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.bus.pulsar.provisioning import ActualTopic, Fit
from magnetar.runtime.operate.doctor import CATALOGUE, Finding, Severity, examine
from magnetar.runtime.operate.doctor.brokers import SETTINGS, parsed
from magnetar.runtime.operate.doctor.clocks import difference
from magnetar.runtime.operate.doctor.facts import Facts, Offset, Unanswered
from magnetar.runtime.operate.doctor.gathering import measured
from tests.unit.operate.facts import (
    ACTUAL,
    BROKER,
    BROKER_SETTINGS,
    CLUSTER,
    DAY,
    STORE,
    WELL,
    ill,
    told,
    with_cluster,
    with_override,
    with_policies,
    with_settings,
    with_store,
)

NOBODY = Unanswered("no route")
SPOILT = (
    with_settings(autoSkipNonRecoverableData="true"),
    with_policies({"message_ttl_in_seconds": 60}),
    with_override("orders", retention={"retentionTimeInMinutes": 1, "retentionSizeInMB": -1}),
    with_store(fsync="off"),
    with_cluster(replace(CLUSTER, bookies=1)),
    with_cluster(replace(CLUSTER, actual=replace(ACTUAL, policies=None, topics={}))),
    replace(WELL, cluster=NOBODY),
    replace(WELL, bus=NOBODY),
    replace(WELL, store=NOBODY),
    replace(WELL, store=replace(STORE, workers=0)),
    replace(WELL, store=replace(STORE, clock=Offset(3.0, 4.0))),
)


def test_a_well_system_is_well() -> None:
    """And every check that could be made was made."""
    found = examine(WELL)
    assert [finding for finding in found if finding.severity is not Severity.OK] == []
    unseen = {check.id for check in CATALOGUE} - {finding.check for finding in found}
    assert unseen == {"broker-answers", "store-version", "store-isolation", "store-locks", "store-connections"}
    assert told(with_store()) == []


@pytest.mark.parametrize("facts", SPOILT)
def test_a_finding_says_what_to_do(facts: Facts) -> None:
    """Whatever is not well has a change; whatever is well has none."""
    assert ill(facts)
    for finding in examine(facts):
        assert bool(finding.change) == (finding.severity is not Severity.OK)
        assert all((finding.subject, finding.found, finding.wanted, finding.why, finding.rule, *finding.change))


@pytest.mark.parametrize("facts", [WELL, *SPOILT])
def test_findings_come_in_the_order_of_the_catalogue(facts: Facts) -> None:
    """And each belongs to a check of it."""
    order = [check.id for check in CATALOGUE]
    seen = [order.index(finding.check) for finding in examine(facts)]
    assert seen == sorted(seen)


def test_the_ids_of_checks_are_their_own() -> None:
    """So that a script can rely on them."""
    assert len({check.id for check in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize(
    ("settings", "severity"),
    [
        ({"connectionLivenessCheckTimeoutMillis": "2000"}, None),
        ({"connectionLivenessCheckTimeoutMillis": "3000"}, "advice"),
        ({"connectionLivenessCheckTimeoutMillis": "5000"}, "danger"),
        ({"connectionLivenessCheckTimeoutMillis": "0"}, "danger"),
        ({"connectionLivenessCheckTimeoutMillis": "soon"}, "advice"),
        ({"connectionLivenessCheckTimeoutMillis": None}, "advice"),
        ({"managedLedgerNewEntriesCheckDelayInMillis": "0"}, None),
        ({"managedLedgerNewEntriesCheckDelayInMillis": "10"}, "advice"),
        ({"metadataStoreSessionTimeoutMillis": "30000"}, "advice"),
        ({"zookeeperSessionExpiredPolicy": "reconnect"}, "advice"),
        ({"zookeeperSessionExpiredPolicy": None}, "advice"),
        ({"bookkeeperClientTimeoutInSeconds": "10"}, None),
        ({"bookkeeperClientTimeoutInSeconds": "30"}, "advice"),
        ({"managedLedgerAddEntryTimeoutSeconds": "0"}, "advice"),
        ({"managedLedgerAddEntryTimeoutSeconds": "30"}, None),
        ({"managedLedgerAddEntryTimeoutSeconds": "31"}, "advice"),
        ({"managedLedgerAddEntryTimeoutSeconds": "ten"}, "advice"),
        ({"autoSkipNonRecoverableData": "true"}, "danger"),
        ({"managedLedgerForceRecovery": "true"}, "danger"),
        ({"brokerDeduplicationProducerInactivityTimeoutMinutes": "360"}, "advice"),
        ({"maxMessageSize": "1048576"}, "danger"),
    ],
)
def test_a_setting_of_the_broker(settings: dict[str, str | None], severity: str | None) -> None:
    """Each is judged for itself, and the change names it."""
    found = ill(with_settings(**settings))
    assert [finding.severity.value for finding in found] == ([] if severity is None else [severity])
    assert all(next(iter(settings)) in finding.change[0] for finding in found)


def test_a_setting_that_a_broker_takes_over_rest_needs_no_restart() -> None:
    """The change is a call where there is one, else a line of `broker.conf`."""
    name = "autoSkipNonRecoverableData"
    facts = with_settings(autoSkipNonRecoverableData="true")
    assert not isinstance(facts.cluster, Unanswered)
    assert ill(facts)[0].change[0].startswith(f"{name}=false in broker.conf")
    quick = with_cluster(replace(facts.cluster, changeable=frozenset({name})))
    assert ill(quick)[0].change == (f"POST /admin/v2/brokers/configuration/{name}/false",)


def test_the_one_wrong_broker_of_several_is_found() -> None:
    """And one that was not asked is told: its settings are unknown."""
    other = replace(BROKER, name="broker-2:8080", settings={**BROKER_SETTINGS, "autoSkipNonRecoverableData": "true"})
    facts = with_cluster(replace(CLUSTER, brokers=(BROKER, other), unanswered={"broker-3:8080": NOBODY}))
    assert [(finding.check, finding.subject) for finding in ill(facts)] == [
        ("broker-answers", "broker broker-3:8080"),
        ("broker-skips-data", "broker broker-2:8080"),
    ]


@pytest.mark.parametrize(
    ("version", "severity"),
    [
        ("4.0.7", None),
        ("4.0.13-SNAPSHOT", None),
        ("4.1.1", None),
        ("5.0.0", None),
        ("4.0.6", "danger"),
        ("4.1.0", "danger"),
        ("3.3.9", "danger"),
        ("main", "advice"),
    ],
)
def test_the_version_of_a_broker(version: str, severity: str | None) -> None:
    """4.0.7, and 4.1.1 of its line."""
    facts = with_cluster(replace(CLUSTER, brokers=(replace(BROKER, version=version),)))
    assert told(facts) == ([] if severity is None else [("broker-version", severity)])


@given(st.tuples(*[st.integers(0, 10**6)] * 3), st.text())
def test_any_version_is_read(numbers: tuple[int, int, int], rest: str) -> None:
    """Whatever comes after the third number, unless it is more of it."""
    text = ".".join(map(str, numbers))
    assert parsed(f"{text}-{rest}") == numbers
    assert parsed(f"v{text}") is None


HOLD = {"limitSize": -1, "limitTime": -1, "policy": "producer_request_hold"}


@pytest.mark.parametrize(
    ("policies", "check", "severity"),
    [
        ({"deduplicationEnabled": False}, "deduplication", "danger"),
        ({"retention_policies": {"retentionTimeInMinutes": 60, "retentionSizeInMB": -1}}, "retention", "danger"),
        ({"retention_policies": {"retentionTimeInMinutes": -1, "retentionSizeInMB": 0}}, "retention", "danger"),
        ({"retention_policies": {"retentionTimeInMinutes": -1, "retentionSizeInMB": 9}}, "retention", "advice"),
        ({"message_ttl_in_seconds": 60}, "message-ttl", "danger"),
        (
            {"backlog_quota_map": {"destination_storage": {**HOLD, "policy": "consumer_backlog_eviction"}}},
            "backlog-quota",
            "danger",
        ),
        ({"backlog_quota_map": {"destination_storage": {**HOLD, "limitSize": 5}}}, "backlog-quota", "advice"),
        ({"backlog_quota_map": {"message_age": {**HOLD, "limitTime": 5}}}, "backlog-quota", "advice"),
        ({"subscription_expiration_time_minutes": 5}, "subscription-expiration", "danger"),
        ({"schema_compatibility_strategy": "ALWAYS_COMPATIBLE"}, "schema-compatibility", "danger"),
        ({"schema_compatibility_strategy": "FULL_TRANSITIVE"}, "schema-compatibility", "advice"),
        ({"is_allow_auto_update_schema": True}, "schema-updates", "advice"),
        ({"autoTopicCreationOverride": {"allowAutoTopicCreation": True}}, "topic-creation", "advice"),
        (
            {"autoSubscriptionCreationOverride": {"allowAutoSubscriptionCreation": True}},
            "subscription-creation",
            "advice",
        ),
        ({"inactive_topic_policies": {"deleteWhileInactive": True}}, "inactive-topics", "danger"),
    ],
)
def test_a_policy_of_the_namespace(policies: dict[str, object], check: str, severity: str) -> None:
    """What is set there is in force, whatever the broker's defaults are; the change is one REST call."""
    found = ill(with_policies(policies))
    assert [(finding.check, finding.severity.value) for finding in found] == [(check, severity)]
    assert "/admin/v2/namespaces/public/shop/" in found[0].change[0]


def test_the_change_of_a_policy_is_the_whole_call() -> None:
    """Method, path, and the body that provisioning would send; retention as long as the backup is old."""
    assert ill(with_policies({"message_ttl_in_seconds": 60}))[0].change == (
        "POST /admin/v2/namespaces/public/shop/messageTTL 0",
    )
    older = replace(WELL, backup_age=30 * DAY)
    assert ill(older)[0].change == (
        'POST /admin/v2/namespaces/public/shop/retention {"retentionTimeInMinutes":43200,"retentionSizeInMB":-1}',
    )
    aged = ill(with_policies({"backlog_quota_map": {"message_age": {**HOLD, "limitTime": 5}}}))
    assert (
        aged[0].change[0].startswith("POST /admin/v2/namespaces/public/shop/backlogQuota?backlogQuotaType=message_age")
    )


@given(minutes=st.integers(0, 10**6), age=st.floats(0, 10**7))
def test_retention_is_well_exactly_if_no_backup_is_older(minutes: int, age: float) -> None:
    """To the second; and the change that is told makes it so."""
    kept = {"retention_policies": {"retentionTimeInMinutes": minutes, "retentionSizeInMB": -1}}
    facts = replace(with_policies(kept), backup_age=age)
    assert told(facts) == ([("retention", "danger")] if minutes * 60 < age else [])
    for finding in ill(facts):
        told_minutes = int(finding.change[0].split('"retentionTimeInMinutes":')[1].split(",")[0])
        assert told_minutes * 60 >= age


def test_an_unset_policy_is_the_brokers() -> None:
    """Well only by a broker's default is advice: to set it. A default that is wrong is as bad as a wrong policy."""
    unset: dict[str, object] = {
        "deduplicationEnabled": None,
        "retention_policies": None,
        "message_ttl_in_seconds": None,
        "backlog_quota_map": {},
        "subscription_expiration_time_minutes": None,
        "schema_compatibility_strategy": "UNDEFINED",
        "schema_validation_enforced": False,
        "is_allow_auto_update_schema": None,
        "autoTopicCreationOverride": None,
        "autoSubscriptionCreationOverride": None,
        "inactive_topic_policies": None,
    }
    facts = with_policies(unset)
    assert {severity for _, severity in told(facts)} == {"advice"}
    assert len(told(facts)) == len(unset)
    assert not isinstance(facts.cluster, Unanswered)
    bad = replace(BROKER, name="b", settings={**BROKER_SETTINGS, "brokerDeduplicationEnabled": "false"})
    worse = with_cluster(replace(facts.cluster, brokers=(*facts.cluster.brokers, bad)))
    [finding] = [finding for finding in ill(worse) if finding.severity is Severity.DANGER]
    assert (finding.check, finding.found) == ("deduplication", "false (the broker's: b)")
    silent = with_cluster(replace(facts.cluster, brokers=()))
    assert ("deduplication", "danger") in told(silent)


def test_what_is_set_on_a_topic_wins() -> None:
    """Only where it is not well; the change takes it away."""
    assert told(with_override("orders", deduplicationEnabled=True, messageTTL=0)) == []
    [finding] = ill(with_override("orders", messageTTL=60))
    assert (finding.check, finding.severity.value, finding.subject) == ("message-ttl", "danger", "topic orders")
    assert finding.change == ("DELETE /admin/v2/persistent/public/shop/orders/messageTTL",)
    [finding] = ill(with_override("orders", backlogQuotaMap={"message_age": {"policy": "consumer_backlog_eviction"}}))
    assert finding.change == (
        "DELETE /admin/v2/persistent/public/shop/orders/backlogQuota?backlogQuotaType=message_age",
    )


@pytest.mark.parametrize(
    ("quorum", "bookies", "expected"),
    [
        ((2, 2, 2), 3, []),
        ((3, 3, 2), 4, []),
        ((3, 3, 2), 3, [("quorum-spare", "advice")]),
        ((2, 2, 1), 3, [("quorum", "danger")]),
        ((1, 1, 1), 3, [("quorum", "danger")]),
        ((1, 1, 1), 1, [("quorum", "danger"), ("quorum-spare", "advice")]),
        ((2, 2, 2), 1, [("quorum", "danger"), ("quorum-spare", "advice")]),
    ],
)
def test_the_quorum(quorum: tuple[int, int, int], bookies: int, expected: list[tuple[str, str]]) -> None:
    """The namespace's own one is judged; that of the broker where it has none; that of a topic besides."""
    names = ("bookkeeperEnsemble", "bookkeeperWriteQuorum", "bookkeeperAckQuorum")
    own = dict(zip(names, quorum, strict=True))
    facts = with_policies({"persistence": own})
    assert not isinstance(facts.cluster, Unanswered)
    assert told(with_cluster(replace(facts.cluster, bookies=bookies))) == expected
    usual = ("managedLedgerDefaultEnsembleSize", "managedLedgerDefaultWriteQuorum", "managedLedgerDefaultAckQuorum")
    facts = with_settings(**dict(zip(usual, map(str, quorum), strict=True)))
    assert not isinstance(facts.cluster, Unanswered)
    assert told(with_cluster(replace(facts.cluster, bookies=bookies))) == expected
    facts = with_override("orders", persistence=own)
    assert not isinstance(facts.cluster, Unanswered)
    found = told(with_cluster(replace(facts.cluster, bookies=bookies)))
    assert set(found) >= set(expected)


def test_a_single_bookie_is_called_so() -> None:
    """Whatever the quorums say."""
    found = ill(with_cluster(replace(CLUSTER, bookies=1)))
    assert all("a single bookie" in finding.found for finding in found)
    assert found[0].change[0].startswith("add bookies")


def test_a_namespace_without_anything_is_all_missing() -> None:
    """Each thing that provisioning would make, and the command that makes it."""
    facts = with_cluster(replace(CLUSTER, actual=replace(ACTUAL, policies=None, tenants=frozenset(), topics={})))
    found = [finding for finding in ill(facts) if finding.check != "partitions"]
    assert {finding.check for finding in found} == {"namespace", "topics", "subscriptions", "topic-schemas"}
    assert {finding.change for finding in found} == {("magnetar topics apply shop:app",)}
    assert {finding.severity for finding in found} == {Severity.DANGER}


def test_a_missing_subscription_on_one_partition_is_found() -> None:
    """Half of it there is not enough."""
    orders = ACTUAL.topics["orders"]
    there = {**orders.subscriptions, 1: frozenset[str]()}
    topics = {**ACTUAL.topics, "orders": replace(orders, subscriptions=there)}
    [finding] = ill(with_cluster(replace(CLUSTER, actual=replace(ACTUAL, topics=topics))))
    assert (finding.check, finding.severity) == ("subscriptions", Severity.DANGER)
    assert "partitions 1" in finding.found


def test_a_schema_that_the_topic_refuses_is_a_danger() -> None:
    """With the broker's reason."""
    refused = replace(ACTUAL.topics["orders"], fit=Fit.INCOMPATIBLE, reason="no default")
    [finding] = ill(with_cluster(replace(CLUSTER, actual=replace(ACTUAL, topics={**ACTUAL.topics, "orders": refused}))))
    assert finding.check == "topic-schemas"
    assert "no default" in finding.found


counts = st.integers(1, 4)


@given(declared=counts, broker=counts, client=counts, store=st.none() | counts)
def test_partitions_are_well_exactly_if_all_counts_agree(
    declared: int, broker: int, client: int, store: int | None
) -> None:
    """Declared, on the broker, seen by the client, and stored, if it is."""
    topics = {**ACTUAL.topics, "orders": ActualTopic(partitions=broker, fit=Fit.KNOWN)}
    facts = replace(
        WELL,
        actors={"orders": declared},
        cluster=replace(CLUSTER, actual=replace(ACTUAL, topics=topics)),
        bus={"orders": client},
        store=replace(STORE, shards={} if store is None else {"orders": store}),
    )
    [finding] = [finding for finding in examine(facts) if finding.check == "partitions"]
    agree = len({declared, broker, client, *(() if store is None else (store,))}) == 1
    assert (finding.severity is Severity.OK) == agree


def test_a_feed_with_other_partitions_is_a_conflict() -> None:
    """Topics of events count too, though no shard hangs on them."""
    topics = {**ACTUAL.topics, "orders-events": ActualTopic(partitions=5)}
    [finding] = ill(with_cluster(replace(CLUSTER, actual=replace(ACTUAL, topics=topics))))
    assert (finding.check, finding.found) == ("partitions", "5 partitions")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"fsync": "off"}, ("store-durable", "danger")),
        ({"full_page_writes": "off"}, ("store-durable", "danger")),
        ({"synchronous_commit": "off"}, ("store-durable", "danger")),
        ({"synchronous_commit": "remote_apply"}, None),
        ({"server_version_num": "150009"}, ("store-version", "danger")),
        ({"default_transaction_isolation": "serializable"}, ("store-isolation", "advice")),
        ({"idle_in_transaction_session_timeout": "0"}, ("store-locks", "danger")),
        ({"idle_in_transaction_session_timeout": "60000"}, ("store-locks", "danger")),
        ({"max_connections": "15"}, ("store-connections", "advice")),
        ({"max_connections": "16"}, None),
    ],
)
def test_a_setting_of_postgresql(settings: dict[str, str], expected: tuple[str, str] | None) -> None:
    """Two workers need 16 connections."""
    assert told(with_store(**settings)) == ([] if expected is None else [expected])


def test_a_setting_of_sqlite() -> None:
    """A commit must be on the disk when it returns."""
    for name, value in (("journal_mode", "delete"), ("synchronous", "1")):
        facts = replace(WELL, store=replace(STORE, settings={**STORE.settings, name: value}))
        assert told(facts) == [("store-durable", "danger")]


def test_a_store_of_another_kind_is_not_judged() -> None:
    """It is told that nobody did, and so is a setting that it does not tell."""
    assert told(replace(WELL, store=replace(STORE, settings={}))) == [("store-answers", "advice")]
    assert (
        told(replace(WELL, store=replace(STORE, settings={"product": "sqlite"}))) == [("store-durable", "advice")] * 2
    )


@pytest.mark.parametrize(("workers", "expected"), [(0, "advice"), (1, None), (3, None), (4, "advice"), (None, None)])
def test_workers_against_shards(workers: int | None, expected: str | None) -> None:
    """None is too few, more than shards too many; nobody knows is no finding."""
    facts = replace(WELL, store=replace(STORE, workers=workers))
    assert told(facts) == ([] if expected is None else [("workers", expected)])


@pytest.mark.parametrize("part", ["cluster", "bus", "store"])
def test_a_part_that_does_not_answer_hides_no_other(part: str) -> None:
    """It is a danger itself, and the rest is judged."""
    spoilt = replace(with_store(fsync="off"), backup_age=8 * DAY)
    found = told(replace(spoilt, **{part: NOBODY}))  # type: ignore[arg-type]
    silent = {"cluster": "broker-answers", "bus": "bus-answers", "store": "store-answers"}[part]
    assert (silent, "danger") in found
    assert (("retention", "danger") in found) == (part != "cluster")
    assert (("store-durable", "danger") in found) == (part != "store")


seconds = st.floats(-100, 100)


@given(ahead=seconds, took=st.floats(0, 30), at=st.floats(0, 1), cut=st.booleans())
def test_a_clock_is_never_blamed_for_a_slow_answer(ahead: float, took: float, at: float, *, cut: bool) -> None:
    """Whenever the other clock was read meanwhile, and were it cut to whole seconds: the truth lies within."""
    began = 1000.25
    read = began + at * took + ahead
    least, most = (float(int(read)), float(int(read)) + 1) if cut else (read, read)
    offset = measured(least, most, began, began + took)
    assert offset.least - 1e-6 <= ahead <= offset.most + 1e-6
    assert offset.smallest <= abs(ahead) + 1e-6


@given(one=seconds, other=seconds, width=st.floats(0, 3))
def test_two_clocks_are_compared_through_a_third(one: float, other: float, width: float) -> None:
    """The difference of the two lies within what is told."""
    between = Offset(one - width, one + width).beside(Offset(other - width, other + width))
    assert between.least - 1e-6 <= one - other <= between.most + 1e-6


@given(least=seconds, width=st.floats(0, 3))
def test_the_limits_of_a_difference(least: float, width: float) -> None:
    """Up to a second is well, up to five is advice, more a danger."""
    offset = Offset(least, least + width)
    severity = difference("a", "b", offset).severity
    assert severity is (
        Severity.OK if offset.smallest <= 1 else Severity.ADVICE if offset.smallest <= 5 else Severity.DANGER
    )


def test_a_clock_behind_is_called_so() -> None:
    """Brokers are compared with the store too."""
    facts = replace(WELL, store=replace(STORE, clock=Offset(-9.0, -8.0)))
    found = [(finding.subject, finding.severity.value, finding.found) for finding in ill(facts)]
    assert found == [
        ("store", "danger", "at least 8.0 s behind this machine"),
        ("broker broker-1:8080", "danger", "at least 7.8 s ahead of the store"),
    ]


def test_every_setting_that_is_looked_at_has_a_value_that_is_well() -> None:
    """The value that is told to be set would be found well."""
    for setting in SETTINGS:
        assert setting.judge(setting.value) is Severity.OK


def test_a_finding_is_plain() -> None:
    """It can be compared, and written as JSON."""
    assert examine(WELL) == examine(WELL)
    assert isinstance(examine(WELL)[0], Finding)
