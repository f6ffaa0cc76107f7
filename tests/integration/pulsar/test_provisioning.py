"""Provisioning on a real broker: everything is made, made once, completed when half of it is there, never changed."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import pytest

from magnetar.runtime import App
from magnetar.runtime.bus.port import Opening, Outgoing, Refused, SchemaRefused
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.applying import apply, survey
from magnetar.runtime.bus.pulsar.provisioning import as_table, plan
from magnetar.runtime.bus.pulsar.reading import read_log
from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from magnetar.runtime.bus.pulsar.steps import AddSchema, Conflict, CreateSubscription, CreateTenant, SetPolicy, Step
from magnetar.runtime.bus.pulsar.wanted import Wanted, WantedTopic, policies
from magnetar.runtime.compose.places import PulsarPlace, wanted_of
from tests.contract.bus.harness import until
from tests.unit.compose.counting import counting

if TYPE_CHECKING:
    from magnetar.runtime.servers.pulsar import PulsarServer

T = TypeVar("T")


def schema(*fields: str) -> str:
    """A record of strings; a field whose name ends in `!` has no default."""
    written = [
        {"name": name.rstrip("!"), "type": "string", **({} if name.endswith("!") else {"default": ""})}
        for name in fields
    ]
    return json.dumps({"type": "record", "name": "R", "fields": written})


@pytest.fixture
def admin(pulsar_server: PulsarServer) -> Generator[Admin]:
    """The REST API of the run's server."""
    with Admin(pulsar_server.admin_url) as opened:
        yield opened


@pytest.fixture
def wanted() -> Wanted:
    """A tenant and namespace of the test's own, with two topics."""
    orders = WantedTopic(name="orders", partitions=3, schema=schema("a"), subscriptions=("magnetar-orders", "audit"))
    events = WantedTopic(name="orders-events", partitions=2)
    return Wanted(application=f"shop-{uuid4().hex[:8]}", tenant=f"t-{uuid4().hex[:8]}", topics=(orders, events))


def planned(admin: Admin, wanted: Wanted) -> list[Step]:
    """What lacks now."""
    return plan(wanted, survey(admin, wanted))


def test_applied_twice_is_applied_once(admin: Admin, wanted: Wanted) -> None:
    """After the first time nothing lacks, and applying the old plan again changes nothing either."""
    steps = planned(admin, wanted)
    assert isinstance(steps[0], CreateTenant)
    apply(admin, steps)
    assert as_table(planned(admin, wanted)) == "nothing to do: all is as wanted"
    apply(admin, steps)
    assert planned(admin, wanted) == []
    assert admin.partitions(wanted.full("orders")) == 3
    for partition in range(3):
        found = admin.subscriptions(f"{wanted.full('orders')}-partition-{partition}")
        assert found == {"magnetar-orders", "audit"}


def test_a_drifted_policy_is_set_back(admin: Admin, wanted: Wanted) -> None:
    """Somebody's change of a policy shows in the plan with what it is, and is undone."""
    apply(admin, planned(admin, wanted))
    admin.set_policy(wanted.namespace, "POST", "messageTTL", 60)
    (step,) = planned(admin, wanted)
    assert isinstance(step, SetPolicy)
    assert (step.policy.name, step.have) == ("messageTTL", 60)
    apply(admin, [step])
    assert planned(admin, wanted) == []


def test_each_policy_is_read_back(admin: Admin, wanted: Wanted) -> None:
    """The names by which policies are set and read agree with the broker's."""
    assert [step.policy for step in planned(admin, wanted) if isinstance(step, SetPolicy)] == list(policies(wanted))
    apply(admin, planned(admin, wanted))
    there = admin.policies(wanted.namespace) or {}
    assert there["deduplicationEnabled"] is True
    assert there["schema_compatibility_strategy"] == "BACKWARD_TRANSITIVE"
    assert there["is_allow_auto_update_schema"] is False


def test_half_of_it_is_completed(admin: Admin, wanted: Wanted) -> None:
    """A partition that was never created, and a subscription that is on one partition only, are completed."""
    apply(admin, planned(admin, wanted))
    orders = wanted.full("orders")
    admin._write("DELETE", f"{orders.replace('://', '/')}-partition-1", None)
    more = replace(wanted.topics[0], subscriptions=("magnetar-orders", "audit", "late"))
    wider = replace(wanted, topics=(more, wanted.topics[1]))
    admin.create_subscription(f"{orders}-partition-2", "late")
    steps = planned(admin, wider)
    made = {step.subscription: step.partitions for step in steps if isinstance(step, CreateSubscription)}
    assert made == {"magnetar-orders": (1,), "audit": (1,), "late": (0, 1)}
    apply(admin, steps)
    assert planned(admin, wider) == []


def test_a_subscription_that_somebody_else_half_made_is_completed(admin: Admin, wanted: Wanted) -> None:
    """The plan wanted it everywhere, in one call; meanwhile another one has made it on one partition."""
    steps = planned(admin, wanted)
    step = next(each for each in steps if isinstance(each, CreateSubscription))
    assert step.everywhere
    apply(admin, steps[: steps.index(step)])
    admin.create_subscription(f"{step.topic}-partition-1", step.subscription)
    apply(admin, [step])
    assert all(admin.has_subscription(f"{step.topic}-partition-{each}", step.subscription) for each in step.partitions)


def test_what_fails_has_its_topics(admin: Admin, pulsar_server: PulsarServer) -> None:
    """Retry topics with their reader, dead letters without one; both take any bytes, whatever policy there is."""
    wiring = App(f"shop-{uuid4().hex[:8]}", *counting.actors).wire()
    apply(admin, planned(admin, wanted_of(wiring)))
    assert planned(admin, wanted_of(wiring)) == []
    settings = PulsarSettings(service_url=pulsar_server.service_url, application=wiring.app)
    bus = PulsarPlace(settings, pulsar_server.admin_url).connect("test")
    retry, dead = wiring.actors["counters"].retries[0].topic, wiring.actors["counters"].dead_letters
    consumer = opened(bus.subscribe(retry, 1, "magnetar-counters"))
    for topic in (retry, dead):
        producer = opened(bus.produce(topic, 1, "letters", None))
        producer.send(1, Outgoing("c", b"\x00\xff", {"error_text": "no, ä"}))
        [receipt] = until(lambda: producer.receipts() or None, 20.0, "a receipt")  # noqa: B023 - called at once
        assert receipt.error is None
    [delivery] = consumer.receive(1, 10.0)
    assert (delivery.key, delivery.body, delivery.properties["error_text"]) == ("c", b"\x00\xff", "no, ä")
    assert delivery.schema_version is None
    full = f"persistent://public/{wiring.app}/{dead}-partition-1"
    assert admin.subscriptions(full) == frozenset()
    assert len(read_log(settings, dead, 1)) == 1
    bus.close()


def opened(opening: Opening[T]) -> T:
    """When it is there."""
    return until(opening.poll, 20.0, "an answer to opening")


def test_another_number_of_partitions_is_refused(admin: Admin, wanted: Wanted) -> None:
    """And with it all the rest of the plan: nothing is applied."""
    apply(admin, planned(admin, wanted))
    stock = WantedTopic(name="stock", partitions=1)
    other = replace(wanted, topics=(replace(wanted.topics[0], partitions=4), stock))
    with pytest.raises(Refused, match=r"(?s)orders.*3 partitions.*4 partitions"):
        apply(admin, planned(admin, other))
    assert admin.partitions(wanted.full("stock")) is None
    assert admin.partitions(wanted.full("orders")) == 3


def test_schemas_grow_and_never_break(admin: Admin, wanted: Wanted) -> None:
    """A schema that reads the old ones is added, an older one is known, one that cannot read them is a conflict."""
    apply(admin, planned(admin, wanted))

    def with_schema(text: str) -> Wanted:
        return replace(wanted, topics=(replace(wanted.topics[0], schema=text),))

    grown = with_schema(schema("a", "b"))
    assert planned(admin, grown) == [AddSchema(wanted.full("orders"), schema("a", "b"))]
    apply(admin, planned(admin, grown))
    assert planned(admin, grown) == []
    assert planned(admin, wanted) == []
    broken = with_schema(schema("a", "c!"))
    (step,) = planned(admin, broken)
    assert isinstance(step, Conflict)
    assert "BACKWARD_TRANSITIVE" in step.have
    with pytest.raises(SchemaRefused, match="orders"):
        admin.add_schema(wanted.full("orders"), schema("a", "c!"))
    with pytest.raises(SchemaRefused, match="orders"):
        admin.add_schema(wanted.full("orders"), "{")
