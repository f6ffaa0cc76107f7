"""What is to be done until topics have every released schema, in the order of releases. Pure: `registering.py` acts.

A broker takes a schema if that can read all that it has (`BACKWARD_TRANSITIVE`), so an older version can only be put
before a newer one, never after. Several released versions may be one to it: see `sameness`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from magnetar.runtime.bus.pulsar.sameness import AVRO

POLICIES: Final = frozenset({"schemaCompatibilityStrategy", "schemaValidationEnforced", "isAllowAutoUpdateSchema"})
"""What `wanted.policies` says of schemas: their order, nothing without one, and nobody brings one of his own."""

_NO_SCHEMA: Final = (
    "it has a schema, so the broker refuses the bytes of messages that failed: `pulsar-admin schemas delete` it once "
    "nobody needs what was written under it"
)
_OLDER: Final = "older than what is there, and cannot come after it: no worker of such a release can send here"
_STRANGERS: Final = "no release has these: they are somebody else's, or those of a tree that was never released"
_DELETED: Final = "the broker's versions before this one were deleted: nobody can ask it what they were"
_UNJUDGED: Final = "the broker is asked once the strategy is set"
ABSENT: Final = "the topic itself is not there yet (`magnetar topics apply`)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedTopic:
    """A topic by its short name: its released schemas, the oldest first, by version.

    Args:
        name: the short name.
        versions: version → Avro JSON; empty for a topic that takes any bytes, which must have no schema.
        problem: why nothing of it can be registered; empty when it can.
    """

    name: str
    versions: Mapping[int, str] = field(default_factory=dict[int, str])
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredTopic:
    """What the broker has of it.

    Args:
        there: whether the topic exists; a broker takes schemas for one that does not.
        types: the type of each of its schemas, by the broker's version.
        known: released version → the broker's.
        refusals: released versions that it lacks and would refuse → why.
        unjudged: released versions that it lacks, and was asked about under another strategy than is wanted.
        override: the strategy that is set on the topic itself; None where the namespace's is in force.
    """

    there: bool
    types: Mapping[int, str] = field(default_factory=dict[int, str])
    known: Mapping[int, int] = field(default_factory=dict[int, int])
    refusals: Mapping[int, str] = field(default_factory=dict[int, str])
    unjudged: frozenset[int] = frozenset()
    override: str | None = None

    @property
    def strangers(self) -> list[int]:
        """The broker's versions that no release has: somebody else's, or those of a working tree."""
        return sorted(self.types.keys() - set(self.known.values()))


class Told(msgspec.Struct, frozen=True):
    """One line about one topic. `versions` are released ones, `broker` the broker's, in the same order as far as known.

    A `conflict` is what a person must decide; with one nothing is registered at all.
    """

    topic: str
    action: str
    versions: tuple[int, ...] = ()
    broker: tuple[int, ...] = ()
    reason: str = ""
    conflict: bool = False


def missing(released: ReleasedTopic, registered: RegisteredTopic) -> list[int]:
    """The versions to register, in this order: those that the broker lacks and that are newer than all that it has.

    Two released versions may be one to the broker; what it has is then as old as the first of them.
    """
    first: dict[int, int] = {}
    for number, version in sorted(registered.known.items()):
        first.setdefault(version, number)
    newest = max(first.values(), default=0)
    return [number for number in released.versions if number not in registered.known and number > newest]


def judge(full: str, released: ReleasedTopic, registered: RegisteredTopic) -> list[Told]:
    """What there is to say of a topic before anything is done; with a conflict nothing is to be registered."""
    conflicts = list(_conflicts(full, released, registered))
    findings = list(_findings(full, released, registered))
    return [*findings, *(conflicts or _to_do(full, released, registered))]


def _conflicts(full: str, released: ReleasedTopic, registered: RegisteredTopic) -> Iterator[Told]:
    foreign = tuple(number for number, kind in registered.types.items() if kind != AVRO)
    if released.problem:
        yield Told(full, "CONFLICT", reason=released.problem, conflict=True)
    elif not released.versions and registered.types:
        yield Told(full, "CONFLICT", broker=tuple(registered.types), reason=_NO_SCHEMA, conflict=True)
    elif foreign:
        kinds = ", ".join(sorted({registered.types[number] for number in foreign}))
        reason = f"it has schemas of another kind ({kinds}), and a topic has but one: take a new topic"
        yield Told(full, "CONFLICT", broker=foreign, reason=reason, conflict=True)
    else:
        for number in missing(released, registered):
            if number in registered.refusals:
                reason = f"the broker refuses it: {registered.refusals[number]}"
                yield Told(full, "CONFLICT", (number,), reason=reason, conflict=True)


def _findings(full: str, released: ReleasedTopic, registered: RegisteredTopic) -> Iterator[Told]:
    """Each line is of one kind, so that nothing has to be read out of a text."""
    known, lacking = registered.known, missing(released, registered)
    if known:
        yield Told(full, "found", tuple(known), tuple(known.values()))
    older = tuple(number for number in released.versions if number not in known and number not in lacking)
    if older:
        yield Told(full, "passed over", older, reason=_OLDER)
    if released.versions and registered.strangers:
        yield Told(full, "strangers", broker=tuple(registered.strangers), reason=_STRANGERS)
    if registered.types and min(registered.types) > 0:
        yield Told(full, "deleted", broker=(min(registered.types),), reason=_DELETED)


def _to_do(full: str, released: ReleasedTopic, registered: RegisteredTopic) -> Iterator[Told]:
    if not released.versions:
        yield Told(full, "no schema", reason="as it must be: any bytes")
    if lacking := missing(released, registered):
        reasons = [_UNJUDGED] if registered.unjudged else []
        reasons += [] if registered.there else [ABSENT]
        yield Told(full, "register", tuple(lacking), reason="; ".join(reasons))
