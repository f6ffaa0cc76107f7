"""Actors as operations: what each takes from which topic, what it sends to which, and what may come in answer."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from magnetar.runtime.checks import mentioned
from magnetar.runtime.cli.asyncapi.channels import FAILED, channel, message
from magnetar.runtime.wiring import subscription_of
from magnetar.schemas import Command, contract_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.runtime.wiring import ActorPlan, Topic, Wiring
    from magnetar.schemas import Message
    from magnetar.schemas.shapes import Json


def operations_of(wiring: Wiring) -> dict[str, Json]:
    """Every operation of an app's actors, by name: `orders-receives-stock-events`, `orders-sends-stock`."""
    found: dict[str, Json] = {}
    for plan in wiring.actors.values():
        found |= dict(_receives(plan))
        found |= dict(_sends(wiring, plan))
        found |= dict(_of_failures(plan))
    return found


def _receives(plan: ActorPlan) -> Iterator[tuple[str, Json]]:
    """What is on its own topic besides commands are events; these are answered to nobody."""
    for topic in plan.sources:
        taken = [kind for kind in topic.types if kind in plan.handlers]
        own = topic.name == plan.name
        more = _reply(plan, _answers(plan, taken)) if own else {}
        yield (
            f"{plan.name}-receives-{topic.name}",
            _operation(
                plan.name,
                "receive",
                topic.name,
                [contract_name(kind) for kind in taken],
                f"Actor {plan.name} handles {'what it is asked' if own else f'events of {topic.name}'}.",
            )
            | more
            | {"x-subscription": subscription_of(plan.name)},
        )


def _sends(wiring: Wiring, plan: ActorPlan) -> Iterator[tuple[str, Json]]:
    if plan.events is not None:
        names = [contract_name(kind) for kind in plan.events.types]
        told = f"Actor {plan.name} publishes events."
        yield f"{plan.name}-sends-{plan.events.name}", _operation(plan.name, "send", plan.events.name, names, told)
    for topic, kinds in _asked(wiring, plan).items():
        names = [contract_name(kind) for kind in kinds]
        operation = _operation(plan.name, "send", topic, names, f"Actor {plan.name} asks {topic}.")
        other = wiring.actors.get(topic)
        heard = [] if other is None else [kind for kind in _answers(other, kinds) if kind in plan.handlers]
        yield f"{plan.name}-sends-{topic}", operation | ({} if other is None else _reply(other, heard))


def _of_failures(plan: ActorPlan) -> Iterator[tuple[str, Json]]:
    for tier in plan.retries:
        told = f"Actor {plan.name} puts off what has failed, for {tier.delay:g} s."
        yield f"{plan.name}-sends-{tier.topic}", _operation(plan.name, "send", tier.topic, [FAILED], told)
        told = f"Actor {plan.name} tries again what it has put off, for {tier.delay:g} s."
        yield (
            f"{plan.name}-receives-{tier.topic}",
            _operation(plan.name, "receive", tier.topic, [FAILED], told)
            | {"x-subscription": subscription_of(plan.name)},
        )
    told = f"Actor {plan.name} gives up what keeps failing."
    yield f"{plan.name}-sends-{plan.dead_letters}", _operation(plan.name, "send", plan.dead_letters, [FAILED], told)


def _asked(wiring: Wiring, plan: ActorPlan) -> dict[str, list[type[Message]]]:
    """By topic the commands of others that the code of an actor's handlers names, in the order of the topic's union."""
    named = mentioned(plan.handlers.values())
    found: defaultdict[str, list[type[Message]]] = defaultdict(list)
    for kind, topic in wiring.commands.items():
        if kind in named and kind not in plan.handlers:
            found[topic.name].append(kind)
    return found


def _answers(plan: ActorPlan, kinds: Sequence[type[Message]]) -> list[type[Message]]:
    """The events that an actor's handlers of those commands may publish."""
    if plan.events is None:
        return []
    named = mentioned(plan.handlers[kind] for kind in kinds if issubclass(kind, Command))
    return [kind for kind in plan.events.types if kind in named]


def _reply(plan: ActorPlan, kinds: Sequence[type[Message]]) -> dict[str, Json]:
    if plan.events is None or not kinds:
        return {}
    return {"reply": _messages(plan.events, kinds)}


def _messages(topic: Topic, kinds: Sequence[type[Message]]) -> dict[str, Json]:
    return {
        "channel": channel(topic.name),
        "messages": [message(topic.name, contract_name(kind)) for kind in kinds],
    }


def _operation(actor: str, action: str, topic: str, names: Sequence[str], told: str) -> dict[str, Json]:
    return {
        "action": action,
        "channel": channel(topic),
        "summary": told,
        "tags": [{"name": actor}],
        "messages": [message(topic, name) for name in names],
    }
