"""Registers released schemas on a cluster, in the order of releases, and reads back that they are there.

Every call may be repeated, and nothing is taken for done because a broker said so: the versions that it answered are
looked for in the end. A crash in between, or two operators at once, leave a cluster on which a new run does the rest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import stamina

from magnetar.runtime.bus.port import BusUnavailable, SchemaRefused
from magnetar.runtime.bus.pulsar.applying import PATIENCE, apply, survey
from magnetar.runtime.bus.pulsar.provisioning import plan
from magnetar.runtime.bus.pulsar.released import ABSENT, POLICIES, RegisteredTopic, Told, judge, missing
from magnetar.runtime.bus.pulsar.sameness import AVRO, normal
from magnetar.runtime.bus.pulsar.steps import SetPolicy, SetTopicPolicy
from magnetar.runtime.bus.pulsar.wanted import policies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from magnetar.runtime.bus.pulsar.admin import Admin
    from magnetar.runtime.bus.pulsar.released import ReleasedTopic
    from magnetar.runtime.bus.pulsar.steps import Step
    from magnetar.runtime.bus.pulsar.wanted import Wanted

STRATEGY: Final = "schemaCompatibilityStrategy"


class Course(NamedTuple):
    """What a run has done, or would do: policies first, then what there is to say of each topic."""

    steps: Sequence[Step]
    told: Sequence[Told]

    @property
    def conflict(self) -> bool:
        """Whether a person must decide something first."""
        return any(each.conflict for each in self.told)


class Registering:
    """One application's released schemas on one cluster. Every method blocks; raises `BusError`."""

    def __init__(self, admin: Admin, wanted: Wanted, released: Sequence[ReleasedTopic]) -> None:
        """`wanted` is for the namespace and its policies: its topics are `magnetar topics apply`'s to make."""
        self._admin = admin
        self._wanted = replace(wanted, topics=())
        self._released = released
        self._strategy = next(each.value for each in policies(wanted) if each.name == STRATEGY)

    def plan(self) -> Course:
        """What is to be done; nothing is changed."""
        registered = self._registered()
        return Course(self._steps(registered), self._judged(registered))

    def apply(self) -> Course:
        """Do it, unless there is a conflict: then nothing is registered.

        Where the strategy was another one before, the broker judges only after it is set: policies come first, then.
        """
        planned = self.plan()
        if planned.conflict:
            return planned
        apply(self._admin, planned.steps)
        registered = self._registered_in_force()
        judged = self._judged(registered)
        if any(each.conflict for each in judged):
            return Course(planned.steps, judged)
        told: list[Told] = []
        for topic in self._released:
            told += self._topic(topic, registered[topic.name])
        return Course(planned.steps, told)

    def _steps(self, registered: Mapping[str, RegisteredTopic]) -> list[Step]:
        steps: list[Step] = [
            step
            for step in plan(self._wanted, survey(self._admin, self._wanted))
            if not isinstance(step, SetPolicy) or step.policy.name in POLICIES
        ]
        for name, topic in registered.items():
            if topic.override not in {None, self._strategy}:
                steps.append(SetTopicPolicy(self._wanted.full(name), STRATEGY, topic.override, self._strategy))
        return steps

    def _judged(self, registered: Mapping[str, RegisteredTopic]) -> list[Told]:
        topics = [(self._wanted.full(topic.name), topic) for topic in self._released]
        return [told for full, topic in topics for told in judge(full, topic, registered[topic.name])]

    def _registered(self) -> dict[str, RegisteredTopic]:
        there = self._admin.policies(self._wanted.namespace) is not None
        return {
            topic.name: self._look(topic) if there else RegisteredTopic(there=False, unjudged=frozenset(topic.versions))
            for topic in self._released
        }

    def _registered_in_force(self) -> dict[str, RegisteredTopic]:
        """As `_registered`, once every topic is judged by the strategy: brokers learn of a change one by one."""
        for attempt in stamina.retry_context(on=BusUnavailable, attempts=None, timeout=PATIENCE, wait_max=1.0):
            with attempt:
                registered = self._registered()
                waiting = [name for name, topic in registered.items() if topic.unjudged]
                if waiting:
                    raise BusUnavailable(
                        f"the strategy {self._strategy} is set on {self._wanted.namespace}, and brokers still judge "
                        f"{', '.join(waiting)} by another one: run it again"
                    )
                return registered
        raise AssertionError  # a retry ends with its last error

    def _look(self, topic: ReleasedTopic) -> RegisteredTopic:
        full = self._wanted.full(topic.name)
        stored = self._admin.schemas(full)
        versions = {
            normal(each.text): number for number, each in sorted(stored.items(), reverse=True) if each.type == AVRO
        }
        forms = {number: normal(text) for number, text in topic.versions.items()}
        there = self._admin.partitions(full) is not None
        override = self._admin.policy_of(full, STRATEGY) if there else None
        found = RegisteredTopic(
            there=there,
            types={number: each.type for number, each in stored.items()},
            known={number: versions[form] for number, form in forms.items() if form in versions},
            override=None if override is None else str(override),
        )
        return self._ask(full, topic, found)

    def _ask(self, full: str, topic: ReleasedTopic, found: RegisteredTopic) -> RegisteredTopic:
        """Each missing version on its own: the broker can tell how it fits to what is there, not to one another."""
        verdicts = {number: self._admin.verdict(full, topic.versions[number]) for number in missing(topic, found)}
        other = frozenset(
            number for number, verdict in verdicts.items() if verdict.strategy not in {None, self._strategy}
        )
        refusals = {
            number: verdict.reason
            for number, verdict in verdicts.items()
            if verdict.reason is not None and number not in other
        }
        return replace(found, refusals=refusals, unjudged=other)

    def _topic(self, topic: ReleasedTopic, registered: RegisteredTopic) -> list[Told]:
        """Register what is missing of a topic, and say what there is to say of it then."""
        full, lacking = self._wanted.full(topic.name), missing(topic, registered)
        told = [each for each in judge(full, topic, registered) if each.action != "register"]
        if not lacking:
            return told
        broker = [self._register(full, topic, number) for number in lacking]
        now = self._admin.schemas(full)
        if gone := [number for number, version in zip(lacking, broker, strict=True) if version not in now]:
            raise BusUnavailable(f"the broker took versions {gone} of {full}, and has not got them: run it again")
        return [*told, Told(full, "registered", tuple(lacking), tuple(broker), "" if registered.there else ABSENT)]

    def _register(self, full: str, topic: ReleasedTopic, number: int) -> int:
        """The broker's version of it: an older one where the two are the same to it."""
        try:
            for attempt in stamina.retry_context(on=BusUnavailable, attempts=None, timeout=PATIENCE, wait_max=2.0):
                with attempt:
                    return self._admin.add_schema(full, topic.versions[number])
        except SchemaRefused as error:
            raise SchemaRefused(
                f"version {number} of {topic.name} was refused, and no later one was tried: {error}; what came before "
                "it is registered, and another run goes on from there"
            ) from error
        raise AssertionError  # a retry ends with its last error
