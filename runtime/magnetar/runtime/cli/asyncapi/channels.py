"""Topics as channels: what is on each, how it is encoded, how the broker keeps it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from magnetar.runtime.bus.pulsar.wanted import policies
from magnetar.runtime.cli.asyncapi.headers import STORY, headers_of, headers_of_letters
from magnetar.runtime.cli.wording import simple
from magnetar.schemas import Command, codec_for, contract_name, key_field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.bus.pulsar.wanted import Wanted
    from magnetar.runtime.wiring import ActorPlan, LetterTopic, Topic, Wiring
    from magnetar.schemas import Message
    from magnetar.schemas.shapes import Json

AVRO: Final = "application/vnd.apache.avro;version=1.9.0"
BINARY: Final = "avro/binary"
ANY: Final = "application/octet-stream"
BINDING: Final = "0.1.0"
FAILED: Final = "failed"
"""Name of the only message of a topic for what has failed: it may be of any type."""

EVENTS: Final = "-events"


def channels_of(wiring: Wiring, wanted: Wanted) -> dict[str, Json]:
    """Every topic by its name, those of the app's actors and remotes first, then those for what failed."""
    found = {topic.name: _typed(topic, wiring) for topic in wiring.topics.values()}
    found |= dict(each for plan in wiring.actors.values() for each in _letters(plan))
    binding = _binding(wanted)
    return {
        name: {"address": wanted.full(name), **channel, "bindings": {"pulsar": binding}}
        for name, channel in found.items()
    }


def payloads(wiring: Wiring) -> dict[str, Json]:
    """By topic the Avro schema of whatever is on it."""
    return {
        topic.name: {"schemaFormat": AVRO, "schema": json.loads(topic.codec.schema.text)}
        for topic in wiring.topics.values()
    }


def channel(topic: str) -> dict[str, Json]:
    """A reference to a channel."""
    return {"$ref": f"#/channels/{topic}"}


def message(topic: str, name: str) -> dict[str, Json]:
    """A reference to a channel's message."""
    return {"$ref": f"#/channels/{topic}/messages/{name}"}


def _typed(topic: Topic, wiring: Wiring) -> dict[str, Json]:
    spread: dict[str, Json] = {} if topic.partitions is None else {"x-partitions": topic.partitions}
    return {
        "description": _told(topic.name, wiring),
        "messages": {contract_name(kind): _message(topic.name, kind) for kind in topic.types},
        **spread,
        "x-subscriptions": list(topic.subscriptions),
        "x-schema": topic.codec.schema.fingerprint,
    }


def _told(topic: str, wiring: Wiring) -> str:
    if topic in wiring.actors:
        return f"What actor {topic} takes; events only where they are sent on from a wrong partition."
    owner = topic.removesuffix(EVENTS)
    who = f"actor {owner}" if owner in wiring.actors else f"{owner}, a service that is not of this app,"
    return f"What {who} {'takes' if owner == topic else 'publishes'}."


def _message(topic: str, kind: type[Message]) -> Json:
    name = contract_name(kind)
    doc = json.loads(codec_for(kind).schema.text).get("doc")
    return {
        "name": name,
        "title": simple(name),
        **({"summary": doc} if doc else {}),
        "tags": [{"name": "command" if issubclass(kind, Command) else "event"}],
        "headers": headers_of(name),
        "correlationId": {"$ref": f"#/components/correlationIds/{STORY}"},
        "payload": {"$ref": f"#/components/schemas/{topic}"},
        "x-key": key_field(kind),
    }


def _letters(plan: ActorPlan) -> Iterator[tuple[str, dict[str, Json]]]:
    delays = {tier.topic: tier.delay for tier in plan.retries}
    for topic in plan.letters():
        delay = delays.get(topic.name)
        if delay is None:
            yield topic.name, _failed(topic, f"What actor {plan.name} has given up; an operator decides about it.")
        else:
            told = f"What has failed at actor {plan.name}, and is tried again after {delay:g} s at the earliest."
            yield topic.name, {**_failed(topic, told), "x-delay-seconds": delay}


def _failed(topic: LetterTopic, told: str) -> dict[str, Json]:
    return {
        "description": told,
        "messages": {FAILED: {"$ref": f"#/components/messages/{FAILED}"}},
        "x-partitions": topic.partitions,
        "x-subscriptions": list(topic.subscriptions),
    }


def letters() -> dict[str, Json]:
    """The message that stands for all that have failed."""
    return {
        FAILED: {
            "name": FAILED,
            "title": "A message that has failed",
            "summary": "The bytes as they came, under the schema that the property schema names.",
            "contentType": ANY,
            "headers": headers_of_letters(),
            "correlationId": {"$ref": f"#/components/correlationIds/{STORY}"},
        }
    }


def _binding(wanted: Wanted) -> Json:
    """What `magnetar topics apply` sets on the namespace, as far as the binding has words for it.

    Retention has no size here: it is unlimited, for which the binding has no number.
    """
    return {
        "namespace": wanted.application,
        "persistence": "persistent",
        "retention": {"time": wanted.retention_minutes},
        "ttl": _setting(wanted, "messageTTL"),
        "deduplication": _setting(wanted, "deduplication"),
        "bindingVersion": BINDING,
    }


def _setting(wanted: Wanted, name: str) -> int:
    value = next(policy.value for policy in policies(wanted) if policy.name == name)
    assert isinstance(value, int), f"{name} is a number, or true or false"
    return value
