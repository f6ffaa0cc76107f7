"""Whether everything that the app needs is on the cluster: provisioning's own plan, and the numbers of partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.bus.pulsar.provisioning import plan
from magnetar.runtime.bus.pulsar.steps import (
    AddSchema,
    Conflict,
    CreateMissingPartitions,
    CreateNamespace,
    CreateSubscription,
    CreateTenant,
    CreateTopic,
)
from magnetar.runtime.operate.doctor.facts import StoreFacts, Unanswered
from magnetar.runtime.operate.doctor.finding import Check, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from magnetar.runtime.bus.pulsar.steps import Step
    from magnetar.runtime.operate.doctor.facts import ClusterFacts, Facts

_APPLY = "`magnetar topics apply MODULE:APP` makes what is missing and changes nothing else."
NAMESPACE = Check(
    "namespace",
    "tenant and namespace of the app",
    "both exist",
    "without them there is nothing to publish to",
    "R12",
    _APPLY,
)
TOPICS = Check(
    "topics",
    "every topic of the app, and each of its partitions",
    "all exist",
    "what is sent to a topic that is not there blocks its lane",
    "R19",
    _APPLY,
)
SUBSCRIPTIONS = Check(
    "subscriptions",
    "every actor's subscription, on every partition of what it takes",
    "all exist",
    "a message published before its reader's subscription exists may be deleted unread",
    "R12",
    f"{_APPLY} A subscription made late begins at the earliest message that is still there.",
)
SCHEMAS = Check(
    "topic-schemas",
    "the schema of every topic",
    "the topic has the schema of this code",
    "a worker publishes under a schema that the topic knows, and brings none of its own",
    "R30",
    f"{_APPLY} A schema that the broker refuses is a conflict: see `magnetar schema check`.",
)
PARTITIONS = Check(
    "partitions",
    "the number of partitions: declared, on the broker (over REST and by the client), and in the store",
    "one number everywhere",
    "another number would send keys to other shards than those that have their state; a worker stops on it",
    "R31",
    "The number is for life: give the actor its old one again, or take a new actor (or app) and move over.",
)
CHECKS = (NAMESPACE, TOPICS, SUBSCRIPTIONS, SCHEMAS, PARTITIONS)


def topic_findings(facts: Facts, cluster: ClusterFacts) -> Iterator[Finding]:
    """What is missing, or that nothing is. Policies are looked at elsewhere, each for itself."""
    steps = plan(facts.wanted, cluster.actual)
    kinds: tuple[tuple[Check, str, tuple[type[Step], ...]], ...] = (
        (NAMESPACE, facts.wanted.namespace, (CreateTenant, CreateNamespace)),
        (TOPICS, "all topics", (CreateTopic, CreateMissingPartitions)),
        (SUBSCRIPTIONS, "all subscriptions", (CreateSubscription,)),
        (SCHEMAS, "all topics", (AddSchema,)),
    )
    for check, everything, kind in kinds:
        yield from _steps(facts, check, everything, [step for step in steps if isinstance(step, kind)])
    yield from _conflicts(facts, cluster, steps)


def partition_findings(facts: Facts) -> Iterator[Finding]:
    """The four places that count an actor's partitions agree, as far as they could be asked."""
    for actor, declared in facts.actors.items():
        told = {"declared": declared, **_counted(facts, actor)}
        found = ", ".join(f"{where}: {number}" for where, number in told.items())
        if len(set(told.values())) == 1:
            yield PARTITIONS.ok(f"actor {actor}", found)
        else:
            change = f"declare what the store has: Policy(partitions={told.get('in the store', declared)})"
            yield PARTITIONS.danger(f"actor {actor}", found, change)


def _counted(facts: Facts, actor: str) -> Mapping[str, int]:
    """Who has a number for it. An actor that only listens has no topic; a new one is not in the store yet."""
    told: dict[str, int] = {}
    if not isinstance(facts.cluster, Unanswered) and actor in facts.cluster.actual.topics:
        told["on the broker"] = facts.cluster.actual.topics[actor].partitions
    if not isinstance(facts.bus, Unanswered) and actor in facts.bus:
        told["by the client"] = facts.bus[actor]
    if isinstance(facts.store, StoreFacts) and actor in facts.store.shards:
        told["in the store"] = facts.store.shards[actor]
    return told


def _steps(facts: Facts, check: Check, everything: str, steps: Sequence[Step]) -> Iterator[Finding]:
    if not steps:
        yield check.ok(everything, "as wanted")
    for step in steps:
        row = step.row()
        missing = f"missing: {row.want}" if row.want else "missing"
        yield check.danger(row.target, missing, f"magnetar topics apply {facts.target}")


def _conflicts(facts: Facts, cluster: ClusterFacts, steps: Sequence[Step]) -> Iterator[Finding]:
    """What exists differently; an actor's own topic with another number of partitions is told among partitions."""
    declared = {facts.wanted.full(topic.name): topic for topic in facts.wanted.topics}
    for step in steps:
        if not isinstance(step, Conflict):
            continue
        topic = declared[step.target]
        if cluster.actual.topics[topic.name].partitions == topic.partitions:
            yield SCHEMAS.danger(step.target, step.have, "read the reason; then `magnetar schema check`")
        elif topic.name not in facts.actors:
            yield PARTITIONS.danger(step.target, step.have, f"wanted are {step.want}")
