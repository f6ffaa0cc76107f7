"""Reads the cluster for `provisioning.plan` and carries the plan out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import stamina

from magnetar.runtime.bus.port import BusUnavailable, Refused
from magnetar.runtime.bus.pulsar.provisioning import Actual, ActualTopic, Fit, as_table
from magnetar.runtime.bus.pulsar.steps import Conflict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.bus.pulsar.admin import Admin
    from magnetar.runtime.bus.pulsar.steps import Step
    from magnetar.runtime.bus.pulsar.wanted import Wanted, WantedTopic


PATIENCE = 20.0
"""Seconds for which a step is tried again. Reading is tried once: a wrong address is to be told at once."""


def survey(admin: Admin, wanted: Wanted) -> Actual:
    """The cluster as far as the wanted things go. Raises `BusError`."""
    policies = admin.policies(wanted.namespace)
    present = admin.topics(wanted.namespace) if policies is not None else frozenset[str]()
    found = {} if policies is None else {topic.name: _topic(admin, wanted, topic, present) for topic in wanted.topics}
    return Actual(
        clusters=tuple(name for name in admin.clusters() if name != "global"),
        tenants=frozenset(admin.tenants()),
        policies=policies,
        topics={name: topic for name, topic in found.items() if topic is not None},
    )


def apply(admin: Admin, steps: Sequence[Step]) -> None:
    """Carry out a plan; `Refused`, and nothing done, when it holds a conflict. Raises `BusError`.

    Every step may be repeated: one without a usable answer is, for `PATIENCE` seconds (a broker that restarts or has
    lost a bookie answers 500 for a while). After a failure, or a crash, make a new plan and apply that.
    """
    conflicts = [step for step in steps if isinstance(step, Conflict)]
    if conflicts:
        raise Refused(f"nothing was applied, for these need a decision:\n{as_table(conflicts)}")
    for step in steps:
        for attempt in stamina.retry_context(on=BusUnavailable, attempts=None, timeout=PATIENCE, wait_max=2.0):
            with attempt:
                step.carry_out(admin)


def _topic(admin: Admin, wanted: Wanted, topic: WantedTopic, present: frozenset[str]) -> ActualTopic | None:
    full = wanted.full(topic.name)
    partitions = admin.partitions(full)
    if partitions is None:
        return None
    there = frozenset(number for number in range(partitions) if f"{full}-partition-{number}" in present)
    fit, reason = (None, "") if topic.schema is None else _fit(admin, full, topic.schema)
    subscriptions = {number: admin.subscriptions(f"{full}-partition-{number}") for number in there}
    return ActualTopic(partitions=partitions, present=there, subscriptions=subscriptions, fit=fit, reason=reason)


def _fit(admin: Admin, full: str, schema: str) -> tuple[Fit, str]:
    if admin.schema_version(full, schema) is not None:
        return Fit.KNOWN, ""
    reason = admin.incompatibility(full, schema)
    return (Fit.COMPATIBLE, "") if reason is None else (Fit.INCOMPATIBLE, reason)
