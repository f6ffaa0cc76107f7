"""All checks, and the examination of a whole system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.operate.doctor import brokers, clocks, quorum, rules, stores, topics, workers
from magnetar.runtime.operate.doctor.brokers import ANSWERS, broker_findings
from magnetar.runtime.operate.doctor.clocks import clock_findings
from magnetar.runtime.operate.doctor.facts import Unanswered
from magnetar.runtime.operate.doctor.finding import Check
from magnetar.runtime.operate.doctor.policies import policy_findings
from magnetar.runtime.operate.doctor.quorum import quorum_findings
from magnetar.runtime.operate.doctor.stores import store_findings
from magnetar.runtime.operate.doctor.topics import partition_findings, topic_findings
from magnetar.runtime.operate.doctor.workers import worker_findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.operate.doctor.facts import Facts
    from magnetar.runtime.operate.doctor.finding import Finding

BUS = Check(
    "bus-answers",
    "the broker as workers reach it: the address of the bus",
    "it answers",
    "the REST API may answer while workers reach nothing, or another cluster",
    "R13",
    "Give the address with `--bus`; look at listeners, addresses that brokers advertise, and firewalls.",
)
CATALOGUE: tuple[Check, ...] = (
    *brokers.CHECKS,
    BUS,
    *quorum.CHECKS,
    *(rule.check for rule in rules.RULES),
    *topics.CHECKS,
    *stores.CHECKS,
    *workers.CHECKS,
    *clocks.CHECKS,
)
"""Every check, in the order in which findings come."""


def examine(facts: Facts) -> list[Finding]:
    """All findings, in the order of the catalogue. A part that could not be asked is a danger: nothing is guessed."""
    order = {check.id: at for at, check in enumerate(CATALOGUE)}
    return sorted(_findings(facts), key=lambda finding: order[finding.check])


def _findings(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.cluster, Unanswered):
        change = "start the broker, or give the address of its REST API with --admin"
        yield ANSWERS.danger("REST API", f"it cannot be asked: {facts.cluster.reason}", change)
    else:
        yield from broker_findings(facts.cluster)
        yield from quorum_findings(facts, facts.cluster)
        yield from policy_findings(facts, facts.cluster)
        yield from topic_findings(facts, facts.cluster)
    yield _bus(facts)
    yield from partition_findings(facts)
    yield from store_findings(facts)
    yield from worker_findings(facts)
    yield from clock_findings(facts)


def _bus(facts: Facts) -> Finding:
    if isinstance(facts.bus, Unanswered):
        change = "start the broker, or give the address that clients use with --bus"
        return BUS.danger("bus", f"it cannot be reached: {facts.bus.reason}", change)
    return BUS.ok("bus", "it answers")
