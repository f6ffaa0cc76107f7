"""What takes two steps: a message is accepted by one release and sent by the next; a state grows with a generation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from magnetar.schemas.gate.comparing import compare
from magnetar.schemas.gate.finding import WORKING, Finding
from magnetar.schemas.gate.registry import TOPICS
from magnetar.schemas.gate.upcasts import is_lifted
from magnetar.schemas.gate.working import APART, TIMERS
from magnetar.schemas.schema import Schema
from magnetar.schemas.shapes import Record, Shape, Union

if TYPE_CHECKING:
    from magnetar.schemas.gate.registry import Registry, Release
    from magnetar.schemas.gate.working import Working


def too_early(registry: Registry, working: Working) -> Iterator[Finding]:
    """Yield each message that the app's code sends, while the release before does not take it.

    What a topic takes are the branches of its union. A topic that the release before does not have has no older
    workers either. A timer stays in its shard: of a newer generation, older workers leave that alone.
    """
    if not registry.releases:
        return
    last = registry.releases[-1]
    for topic, names in working.sends.items():
        if topic == TIMERS and working.generation > last.generation:
            continue
        taken = _taken(registry, last, topic)
        if taken is None:
            continue
        for name in sorted(set(names) - taken - set(last.sends.get(topic, ()))):
            yield _early(topic, name, last)


def outgrown(registry: Registry, working: Working) -> Iterator[Finding]:
    """Yield each state that holds what workers of the release before would drop when they save it."""
    last = registry.releases[-1] if registry.releases else None
    if last is None or working.generation > last.generation:
        return
    for name, contract in working.contracts.items():
        if contract.kind != "state" or name not in last.contracts:
            continue
        before = version_in(registry, name, last)
        for path in [] if before is None else _grown(before, Schema.parse(contract.text))[:1]:
            yield Finding(
                "state-generation",
                name,
                f"{name}.avsc",
                path,
                "the state has grown; older workers that take over a shard would load it without this, and save it so",
                (str(last.contracts[name].version), WORKING),
                f"what is stored: workers of release {last.release} next to workers of this one",
            )


def _grown(before: Schema, now: Schema) -> list[str]:
    """Paths that older workers would drop; what they cannot even load is at the root."""
    compared = compare(before.shape, now.shape)
    return ["$"] if is_lifted(before, now) else sorted(compared.added | compared.symbols)


def _early(topic: str, name: str, last: Release) -> Finding:
    file = f"{name}.avsc" if topic == TIMERS else f"{TOPICS}{topic}.avsc"
    where = "sets it as a timer" if topic == TIMERS else f"sends it to topic {topic}"
    return Finding(
        "accept-then-send",
        name,
        file,
        f"$.body<{name}>" if topic != TIMERS else "$",
        f"this version {where}, and release {last.release} has no reader for it",
        (f"release {last.release}", WORKING),
        f"workers of release {last.release}: they park it, and all later messages of its key wait",
    )


def _taken(registry: Registry, last: Release, topic: str) -> set[str] | None:
    if topic == TIMERS:
        return set(last.contracts)
    schema = version_in(registry, f"{TOPICS}{topic}", last)
    return None if schema is None else set(_branches(schema.shape))


def taken_by(working: Working, topic: str) -> set[str] | None:
    """Return what this version takes of a topic, or None where it has no such topic."""
    if topic in APART:
        return set(working.contracts)
    contract = working.contracts.get(f"{TOPICS}{topic}")
    return None if contract is None else set(_branches(Schema.parse(contract.text).shape))


def version_in(registry: Registry, name: str, release: Release) -> Schema | None:
    """Return the version of a contract that a release has, if it has one."""
    pin = release.contracts.get(name)
    found = registry.versions.get(name, [])
    return None if pin is None else next((each.schema for each in found if each.number == pin.version), None)


def _branches(shape: Shape) -> Iterator[str]:
    root = shape.root
    body = shape.actual(root.fields[0].type) if isinstance(root, Record) and root.fields else root
    for node in body.branches if isinstance(body, Union) else (body,):
        actual = shape.actual(node)
        yield actual.name if isinstance(actual, Record) else str(actual)
