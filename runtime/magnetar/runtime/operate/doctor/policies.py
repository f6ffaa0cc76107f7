"""The namespace's policies as they are in force: what is set on a topic, else on the namespace, else the broker's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.bus.pulsar.wanted import policies
from magnetar.runtime.operate.doctor.finding import Severity
from magnetar.runtime.operate.doctor.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from magnetar.runtime.bus.pulsar.wanted import Policy
    from magnetar.runtime.operate.doctor.facts import ClusterFacts, Facts
    from magnetar.runtime.operate.doctor.finding import Finding
    from magnetar.runtime.operate.doctor.rules import Rule


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy's value, and who has set it: '' for the namespace itself."""

    value: object
    by: str

    def __str__(self) -> str:
        """As in a finding."""
        shown = "unset" if self.value is None else msgspec.json.encode(self.value).decode()
        return f"{shown}{f' ({self.by})' if self.by else ''}"


def policy_findings(facts: Facts, cluster: ClusterFacts) -> Iterator[Finding]:
    """Each policy of the namespace, and each topic on which something else is set that is not well.

    Without a namespace there is nothing to say: that it is missing is a finding of its own.
    """
    there = cluster.actual.policies
    if there is None:
        return
    wanted = {policy.name: policy for policy in policies(facts.wanted)}
    for rule in RULES:
        yield _namespace(facts, cluster, there, rule, wanted[rule.policy])
        yield from _topics(facts, cluster, rule)


def in_force(rule: Rule, there: Mapping[str, object], cluster: ClusterFacts) -> list[InForce]:
    """The values of a policy for the namespace: its own one, or that of each broker."""
    own = rule.own(there)
    if own is not None:
        return [InForce(own, "")]
    seen = [InForce(rule.usual(broker.settings), f"the broker's: {broker.name}") for broker in cluster.brokers]
    return seen or [InForce(None, "and no broker told its own")]


def _namespace(facts: Facts, cluster: ClusterFacts, there: Mapping[str, object], rule: Rule, policy: Policy) -> Finding:
    values = in_force(rule, there, cluster)
    judged = [(rule.judge(found.value, facts.backup_age), found) for found in values]
    severity, found = max(judged, key=lambda pair: pair[0].rank)
    if severity is Severity.OK and found.by:
        severity = Severity.ADVICE  # well as it is, and anybody's change of a broker away from being so
    changes = _calls(facts, rule, policy, found.value)
    return rule.check.found(severity, f"namespace {facts.wanted.namespace}", str(found), *changes)


def _calls(facts: Facts, rule: Rule, policy: Policy, value: object) -> tuple[str, ...]:
    """The REST calls that set the policy right."""
    body = msgspec.json.encode(rule.mended(policy.value, facts.backup_age)).decode()
    address = f"{policy.method} /admin/v2/namespaces/{facts.wanted.namespace}/{policy.name}"
    return tuple(f"{address}{query} {body}" for query in rule.queries(value) or (policy.query,))


def _topics(facts: Facts, cluster: ClusterFacts, rule: Rule) -> Iterator[Finding]:
    """What is set on a topic wins over the namespace's: only where that is not well it is told."""
    for topic, overrides in cluster.overrides.items():
        value = overrides.get(rule.on_topic) if rule.on_topic else None
        severity = Severity.OK if value is None else rule.judge(value, facts.backup_age)
        if severity is not Severity.OK:
            path = f"/admin/v2/persistent/{facts.wanted.namespace}/{topic}/{rule.delete_on_topic}"
            changes = [f"DELETE {path}{query}" for query in rule.queries(value) or ("",)]
            yield rule.check.found(severity, f"topic {topic}", str(InForce(value, "set on the topic")), *changes)
