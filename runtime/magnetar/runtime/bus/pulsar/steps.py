"""The steps of a plan: each can be printed and carried out, and may be carried out again.

A crash between two steps, or two operators at once, leave a cluster on which a new plan holds what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec

from magnetar.runtime.bus.port import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.bus.pulsar.admin import Admin
    from magnetar.runtime.bus.pulsar.wanted import Policy


class Row(msgspec.Struct, frozen=True):
    """A step to print: as a line of a table, or as JSON."""

    action: str
    target: str
    have: str
    want: str


class Step(Protocol):
    """One thing to do."""

    def row(self) -> Row:
        """The step to print."""
        ...

    def carry_out(self, admin: Admin) -> None:
        """Do it; harmless if it is done already. Blocks; raises `BusError`."""
        ...


@dataclass(frozen=True, slots=True)
class CreateTenant:
    """Create the tenant, for all clusters."""

    tenant: str
    clusters: tuple[str, ...]

    def row(self) -> Row:
        """See `Step`."""
        return Row("create tenant", self.tenant, "", f"clusters {_some(self.clusters)}")

    def carry_out(self, admin: Admin) -> None:
        """See `Step`."""
        admin.create_tenant(self.tenant, list(self.clusters))


@dataclass(frozen=True, slots=True)
class CreateNamespace:
    """Create the namespace; its policies are steps of their own."""

    namespace: str

    def row(self) -> Row:
        """See `Step`."""
        return Row("create namespace", self.namespace, "", "")

    def carry_out(self, admin: Admin) -> None:
        """See `Step`."""
        admin.create_namespace(self.namespace)


@dataclass(frozen=True, slots=True)
class SetPolicy:
    """Set one policy of the namespace."""

    namespace: str
    policy: Policy
    have: object

    def row(self) -> Row:
        """See `Step`."""
        return Row("set policy", f"{self.namespace} {self.policy.name}", _json(self.have), _json(self.policy.value))

    def carry_out(self, admin: Admin) -> None:
        """See `Step`."""
        admin.set_policy(self.namespace, self.policy.method, self.policy.name + self.policy.query, self.policy.value)


@dataclass(frozen=True, slots=True)
class SetTopicPolicy:
    """Set a policy on one topic that has another one of its own; it wins over the namespace's."""

    topic: str
    name: str
    have: object
    want: object

    def row(self) -> Row:
        """See `Step`."""
        return Row("set policy", f"{self.topic} {self.name}", _json(self.have), _json(self.want))

    def carry_out(self, admin: Admin) -> None:
        """See `Step`."""
        admin.set_policy_of(self.topic, self.name, self.want)


@dataclass(frozen=True, slots=True)
class CreateTopic:
    """Create a topic with all its partitions."""

    topic: str
    partitions: int

    def row(self) -> Row:
        """See `Step`."""
        return Row("create topic", self.topic, "", f"{self.partitions} partitions")

    def carry_out(self, admin: Admin) -> None:
        """See `Step`."""
        admin.create_partitions(self.topic, self.partitions)


@dataclass(frozen=True, slots=True)
class CreateMissingPartitions:
    """Complete a topic whose creation was cut short."""

    topic: str
    missing: tuple[int, ...]

    def row(self) -> Row:
        """See `Step`."""
        return Row("complete topic", self.topic, "", f"partitions {_some(self.missing)}")

    def carry_out(self, admin: Admin) -> None:
        """See `Step`."""
        admin.create_missing_partitions(self.topic)


@dataclass(frozen=True, slots=True)
class CreateSubscription:
    """Create a subscription at the earliest message of these partitions.

    `everywhere`: they are all that the topic has, so one call does it, unless somebody else was faster on some.
    """

    topic: str
    subscription: str
    partitions: tuple[int, ...]
    everywhere: bool = False

    def row(self) -> Row:
        """See `Step`."""
        return Row(
            "create subscription", f"{self.topic} {self.subscription}", "", f"partitions {_some(self.partitions)}"
        )

    def carry_out(self, admin: Admin) -> None:
        """See `Step`."""
        if self.everywhere and admin.create_subscription(self.topic, self.subscription):
            return
        for partition in self.partitions:
            admin.create_subscription(f"{self.topic}-partition-{partition}", self.subscription)


@dataclass(frozen=True, slots=True)
class AddSchema:
    """Register an Avro schema on the topic."""

    topic: str
    text: str

    def row(self) -> Row:
        """See `Step`."""
        return Row("add schema", self.topic, "", f"{len(self.text)} characters of Avro")

    def carry_out(self, admin: Admin) -> None:
        """See `Step`."""
        admin.add_schema(self.topic, self.text)


@dataclass(frozen=True, slots=True)
class Conflict:
    """What exists differently and cannot be changed; somebody must decide."""

    target: str
    have: str
    want: str

    def row(self) -> Row:
        """See `Step`."""
        return Row("CONFLICT", self.target, self.have, self.want)

    def carry_out(self, admin: Admin) -> None:  # noqa: ARG002
        """Cannot be: raises `Refused`."""
        raise Refused(f"{self.target} has {self.have} and not {self.want}")


def _some(values: Sequence[object]) -> str:
    return ", ".join(str(value) for value in values)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
