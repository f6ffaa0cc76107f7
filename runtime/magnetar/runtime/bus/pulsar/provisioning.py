"""What is to be done until a cluster is as an application wants it. Pure: `applying.py` reads and writes.

Nothing is ever removed or shrunk: what is on the cluster and not wanted is left alone, and what exists differently
in a way that cannot be changed (the number of partitions is for life) is a `Conflict`, with which nothing is applied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

import msgspec

from magnetar.runtime.bus.pulsar.steps import (
    AddSchema,
    Conflict,
    CreateMissingPartitions,
    CreateNamespace,
    CreateSubscription,
    CreateTenant,
    CreateTopic,
    Row,
    SetPolicy,
    Step,
)
from magnetar.runtime.bus.pulsar.wanted import Wanted, WantedTopic, policies


class Fit(StrEnum):
    """How a wanted schema stands to those that the topic has."""

    KNOWN = "known"
    COMPATIBLE = "compatible"
    INCOMPATIBLE = "incompatible"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActualTopic:
    """A topic as it is.

    Args:
        partitions: 0 for one that is not partitioned.
        present: the partitions whose topic exists.
        subscriptions: by partition.
        fit: of the wanted schema; None when none is wanted.
        reason: why it is incompatible.
    """

    partitions: int
    present: frozenset[int] = frozenset()
    subscriptions: Mapping[int, frozenset[str]] = field(default_factory=dict[int, frozenset[str]])
    fit: Fit | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actual:
    """The cluster as it is. `policies` is None where there is no such namespace; `topics` holds those that exist."""

    clusters: tuple[str, ...]
    tenants: frozenset[str]
    policies: Mapping[str, object] | None
    topics: Mapping[str, ActualTopic] = field(default_factory=dict[str, ActualTopic])


def plan(wanted: Wanted, actual: Actual) -> list[Step]:
    """What is to be done, in the order of doing; empty when all is as wanted."""
    steps: list[Step] = []
    if wanted.tenant not in actual.tenants:
        steps.append(CreateTenant(wanted.tenant, actual.clusters))
    if actual.policies is None:
        steps.append(CreateNamespace(wanted.namespace))
    steps.extend(_policy_steps(wanted, actual.policies or {}))
    for topic in wanted.topics:
        steps.extend(_topic_steps(wanted.full(topic.name), topic, actual.topics.get(topic.name)))
    return steps


def rows(steps: Sequence[Step]) -> list[Row]:
    """The steps to print."""
    return [step.row() for step in steps]


def as_json(steps: Sequence[Step]) -> str:
    """The rows as a JSON array of objects."""
    return msgspec.json.encode(rows(steps)).decode()


def as_table(steps: Sequence[Step]) -> str:
    """The rows as text in columns; says so when there is nothing to do."""
    if not steps:
        return "nothing to do: all is as wanted"
    lines = [Row("action", "target", "have", "want"), *rows(steps)]
    cells = [(row.action, row.target, row.have, row.want) for row in lines]
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    return "\n".join(_line(line, widths) for line in cells)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return "  ".join([*padded, cells[-1]]).rstrip()


def _policy_steps(wanted: Wanted, there: Mapping[str, object]) -> Iterator[Step]:
    for policy in policies(wanted):
        have = _read(there, policy.read)
        if not _holds(have, policy.value):
            yield SetPolicy(wanted.namespace, policy, have)


def _read(there: object, path: tuple[str, ...]) -> object:
    found = there
    for name in path:
        found = cast("Mapping[str, object]", found).get(name) if isinstance(found, Mapping) else None
    return found


def _holds(have: object, want: object) -> bool:
    """Whether the policy is set: of a record, only what we want; a broker may add fields."""
    if isinstance(want, Mapping) and isinstance(have, Mapping):
        return cast("Mapping[str, object]", want).items() <= cast("Mapping[str, object]", have).items()
    return have == want


def _topic_steps(full: str, wanted: WantedTopic, actual: ActualTopic | None) -> Iterator[Step]:
    if actual is None:
        yield CreateTopic(full, wanted.partitions)
        actual = ActualTopic(partitions=wanted.partitions, present=frozenset(range(wanted.partitions)))
    if actual.partitions != wanted.partitions:
        have = f"{actual.partitions} partitions" if actual.partitions else "a topic without partitions"
        yield Conflict(full, have, f"{wanted.partitions} partitions; the number is for life, so take a new topic")
        return
    missing = tuple(sorted(set(range(wanted.partitions)) - actual.present))
    if missing:
        yield CreateMissingPartitions(full, missing)
    yield from _subscription_steps(full, wanted, actual)
    yield from _schema_steps(full, wanted, actual)


def _subscription_steps(full: str, wanted: WantedTopic, actual: ActualTopic) -> Iterator[Step]:
    for subscription in wanted.subscriptions:
        without = tuple(
            partition
            for partition in range(wanted.partitions)
            if subscription not in actual.subscriptions.get(partition, frozenset())
        )
        if without:
            yield CreateSubscription(full, subscription, without, everywhere=len(without) == wanted.partitions)


def _schema_steps(full: str, wanted: WantedTopic, actual: ActualTopic) -> Iterator[Step]:
    if wanted.schema is None or actual.fit is Fit.KNOWN:
        return
    if actual.fit is Fit.INCOMPATIBLE:
        yield Conflict(full, f"schemas that this one cannot read: {actual.reason}", "the schema of this code")
        return
    yield AddSchema(full, wanted.schema)
