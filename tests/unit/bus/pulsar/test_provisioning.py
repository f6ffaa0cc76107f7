"""The plan: what is missing is made, what is there is left, what cannot be changed is a conflict."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import cast

import httpx2
import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.bus.port import Refused
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.applying import apply
from magnetar.runtime.bus.pulsar.provisioning import Actual, ActualTopic, Fit, as_json, as_table, plan
from magnetar.runtime.bus.pulsar.steps import (
    AddSchema,
    Conflict,
    CreateMissingPartitions,
    CreateNamespace,
    CreateSubscription,
    CreateTenant,
    CreateTopic,
    SetPolicy,
)
from magnetar.runtime.bus.pulsar.wanted import Wanted, WantedTopic, policies

ORDERS = WantedTopic(name="orders", partitions=3, schema="{}", subscriptions=("magnetar-orders",))
WANTED = Wanted(application="shop", topics=(ORDERS,))
FULL = "persistent://public/shop/orders"
EMPTY = Actual(clusters=("standalone",), tenants=frozenset({"public"}), policies=None)


def set_policies(wanted: Wanted) -> dict[str, object]:
    """The policies as the broker shows them when all are set; it adds fields of its own."""
    found: dict[str, object] = {"replication_clusters": ["standalone"]}
    for policy in policies(wanted):
        value = policy.value
        if isinstance(value, dict):
            value = {**cast("dict[str, object]", value), "limit": -1}
        *outer, last = policy.read
        if outer:
            found[outer[0]] = {last: value}
        else:
            found[last] = value
    return found


def complete(topic: WantedTopic) -> ActualTopic:
    """A topic as wanted."""
    everywhere = {partition: frozenset(topic.subscriptions) for partition in range(topic.partitions)}
    present = frozenset(range(topic.partitions))
    return ActualTopic(partitions=topic.partitions, present=present, subscriptions=everywhere, fit=Fit.KNOWN)


def done(wanted: Wanted) -> Actual:
    """A cluster as wanted."""
    topics = {topic.name: complete(topic) for topic in wanted.topics}
    return Actual(
        clusters=("standalone",), tenants=frozenset({wanted.tenant}), policies=set_policies(wanted), topics=topics
    )


def test_a_new_namespace_gets_everything_in_order() -> None:
    """Namespace, then its policies, then topics with subscriptions, then schemas: nothing is used before it is safe."""
    steps = plan(WANTED, EMPTY)
    kinds = [type(step) for step in steps]
    policy_steps = [SetPolicy] * len(policies(WANTED))
    assert kinds == [CreateNamespace, *policy_steps, CreateTopic, CreateSubscription, AddSchema]
    assert steps[-2] == CreateSubscription(FULL, "magnetar-orders", (0, 1, 2), everywhere=True)


def test_a_missing_tenant_is_first() -> None:
    """It is made for every cluster."""
    assert plan(replace(WANTED, tenant="acme"), EMPTY)[0] == CreateTenant("acme", ("standalone",))


def test_there_is_nothing_to_do_twice() -> None:
    """A cluster as wanted has an empty plan."""
    assert plan(WANTED, done(WANTED)) == []


@pytest.mark.parametrize("policy", policies(WANTED), ids=lambda policy: policy.name)
def test_a_changed_policy_is_set_again(policy: object) -> None:
    """Each policy is compared, also where the broker's value is merely absent."""
    actual = done(WANTED)
    (name, *_) = next(known.read for known in policies(WANTED) if known == policy)
    without = {key: value for key, value in (actual.policies or {}).items() if key != name}
    (step,) = plan(WANTED, replace(actual, policies=without))
    assert isinstance(step, SetPolicy)
    assert (step.policy, step.have) == (policy, None)


def test_another_number_of_partitions_is_a_conflict() -> None:
    """It is for life; nothing else is planned for that topic."""
    for partitions in (0, 2, 4):
        actual = replace(done(WANTED), topics={"orders": replace(complete(ORDERS), partitions=partitions)})
        (step,) = plan(WANTED, actual)
        assert isinstance(step, Conflict)
        assert step.target == FULL


def test_an_incompatible_schema_is_a_conflict() -> None:
    """The broker's reason is in it; a compatible one is added."""
    refused = replace(complete(ORDERS), fit=Fit.INCOMPATIBLE, reason="no field sku")
    (step,) = plan(WANTED, replace(done(WANTED), topics={"orders": refused}))
    assert isinstance(step, Conflict)
    assert "no field sku" in step.have
    accepted = replace(complete(ORDERS), fit=Fit.COMPATIBLE)
    assert plan(WANTED, replace(done(WANTED), topics={"orders": accepted})) == [AddSchema(FULL, "{}")]


def test_half_a_topic_is_completed() -> None:
    """A crash between two partitions, or two subscriptions, is made good."""
    half = replace(complete(ORDERS), present=frozenset({0, 2}), subscriptions={0: frozenset({"magnetar-orders"})})
    assert plan(WANTED, replace(done(WANTED), topics={"orders": half})) == [
        CreateMissingPartitions(FULL, (1,)),
        CreateSubscription(FULL, "magnetar-orders", (1, 2)),
    ]


def test_what_is_not_wanted_is_left_alone() -> None:
    """Other topics and subscriptions are somebody's."""
    others = {0: frozenset({"magnetar-orders", "audit"}), 1: frozenset({"magnetar-orders"})}
    actual = done(WANTED)
    topic = replace(complete(ORDERS), subscriptions={**others, 2: others[1]})
    assert plan(WANTED, replace(actual, topics={"orders": topic, "theirs": complete(ORDERS)})) == []


def test_a_conflict_stops_everything() -> None:
    """`apply` refuses the whole plan before its first step, and says what needs a decision."""
    actual = replace(EMPTY, topics={"orders": replace(complete(ORDERS), partitions=16)})
    nowhere = Admin("http://127.0.0.1:1", timeout=0.1)  # a step would fail here with another error
    with pytest.raises(Refused, match=r"(?s)nothing was applied.*16 partitions.*for life"):
        apply(nowhere, plan(WANTED, actual))


names = st.text(alphabet="abcdefgh-", min_size=1, max_size=8)
topics = st.builds(
    WantedTopic,
    name=names,
    partitions=st.integers(1, 16),
    schema=st.none() | st.just("{}"),
    subscriptions=st.lists(names, max_size=3, unique=True).map(tuple),
)


@given(st.lists(topics, max_size=4, unique_by=lambda topic: topic.name).map(tuple), st.data())
def test_a_plan_carried_out_leaves_nothing(wanted_topics: tuple[WantedTopic, ...], data: st.DataObject) -> None:
    """From any part of what is wanted, the plan holds exactly what lacks: no more, and nothing twice."""
    wanted = Wanted(application="shop", topics=wanted_topics)
    there = {
        topic.name: replace(
            complete(topic),
            present=frozenset(data.draw(st.sets(st.integers(0, topic.partitions - 1)))),
            subscriptions={
                partition: frozenset(data.draw(st.sets(st.sampled_from(topic.subscriptions or ("x",)))))
                for partition in range(topic.partitions)
            },
        )
        for topic in wanted_topics
        if data.draw(st.booleans())
    }
    steps = plan(wanted, replace(done(wanted), topics=there))
    made = {
        (step.topic, step.subscription): set(step.partitions) for step in steps if isinstance(step, CreateSubscription)
    }
    for topic in wanted_topics:
        for subscription in topic.subscriptions:
            has = there.get(topic.name, ActualTopic(partitions=0)).subscriptions
            lacks = {number for number in range(topic.partitions) if subscription not in has.get(number, frozenset())}
            assert made.get((wanted.full(topic.name), subscription), set()) == lacks
    assert len(steps) == len(set(map(repr, steps)))


def test_a_plan_is_printed_in_columns() -> None:
    """A table for people, an array for programs, the same rows."""
    steps = plan(WANTED, EMPTY)
    table = as_table(steps).splitlines()
    assert table[0].split() == ["action", "target", "have", "want"]
    assert len({line.index("public/shop") if "//" not in line else line.index("persistent") for line in table[1:]}) == 1
    assert len(table) == 1 + len(steps)
    rows = json.loads(as_json(steps))
    assert rows[0] == {"action": "create namespace", "target": "public/shop", "have": "", "want": ""}
    assert as_table([]) == "nothing to do: all is as wanted"


def test_a_step_without_an_answer_is_tried_again() -> None:
    """A broker that has just come back answers 500 for a while; a step may be repeated, so it is."""
    answers = [httpx2.Response(500, text="Not enough non-faulty bookies available"), httpx2.Response(204)]
    paths: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.path)
        return answers.pop(0)

    step = CreateSubscription(FULL, "magnetar-orders", (0,))
    with stamina.set_testing(True, attempts=5):
        apply(Admin("http://broker", transport=httpx2.MockTransport(answer)), [step])
    assert len(paths) == 2
    assert paths[0] == paths[1]


@pytest.mark.parametrize(("status", "asked"), [(204, ["orders"]), (409, ["orders", "0", "1", "2"])])
def test_a_subscription_on_all_partitions_takes_one_call(status: int, asked: list[str]) -> None:
    """Unless some of them have it meanwhile: then each is asked for, and having it is no failure."""
    paths: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.path.removesuffix("/subscription/magnetar-orders").rpartition("/")[2])
        return httpx2.Response(status)

    apply(
        Admin("http://broker", transport=httpx2.MockTransport(answer)),
        [CreateSubscription(FULL, "magnetar-orders", (0, 1, 2), everywhere=True)],
    )
    assert [path.rpartition("-")[2] for path in paths] == asked


def test_a_step_that_is_refused_is_not_tried_again() -> None:
    """What cannot heal is told at once."""
    calls: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        calls.append(request.url.path)
        return httpx2.Response(403, json={"reason": "not permitted"})

    step = CreateSubscription(FULL, "magnetar-orders", (0,))
    with stamina.set_testing(True, attempts=5), pytest.raises(Refused):
        apply(Admin("http://broker", transport=httpx2.MockTransport(answer)), [step])
    assert len(calls) == 1
