"""An app, compiled: which topic a message goes to, how it is encoded, who handles it.

Immutable; made by `App.wire()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from magnetar.runtime.errors import MisuseError
from magnetar.runtime.row import RowPlan, row_plan
from magnetar.schemas import (
    Codec,
    Command,
    Effect,
    Event,
    Message,
    Outcome,
    Schema,
    State,
    Timer,
    Unknown,
    codec_for,
    contract_name,
    key_field,
    topic_codec,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from magnetar.runtime.actor import Actor
    from magnetar.runtime.checks import Declaration
    from magnetar.runtime.effect_checks import EffectFound
    from magnetar.runtime.effects import Call, Dependency
    from magnetar.runtime.policy import Policy
    from magnetar.runtime.row import Row
    from magnetar.runtime.table import Table

KEY_LIMIT = 512
"""Longest key in characters: keys are index entries, properties and labels on screens."""


_UNITS = (("s", 1_000), ("m", 60), ("h", 60))


class Kind(NamedTuple):
    """What is looked up of a message's type for every message: its contract name, and how to read its marked key."""

    name: str
    key: Callable[[Message], str] | None


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the app or of a remote service: what may be on it, and how its bytes are read and written.

    `partitions` is None for a remote's, which the broker is asked for. `takers` are the actors that subscribe.
    """

    name: str
    kinds: Mapping[type[Message], Kind]
    codec: Codec[Message]
    partitions: int | None
    takers: tuple[str, ...]

    @property
    def types(self) -> tuple[type[Message], ...]:
        """The types that may be on it, in the order of its schema's union."""
        return tuple(self.kinds)

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The subscriptions that must exist before anything is published."""
        return tuple(subscription_of(actor) for actor in self.takers)


class Tier(NamedTuple):
    """A retry topic of an actor: what is put there waits at least `delay` seconds (R23)."""

    topic: str
    delay: float


@dataclass(frozen=True, slots=True)
class LetterTopic:
    """A topic for messages that failed: a retry topic, or the dead letters. It carries any bytes, so it has no schema.

    Nobody subscribes to dead letters: they are kept as long as the namespace keeps what is read, and in the store.
    """

    name: str
    partitions: int
    subscriptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EffectPlan:
    """An effect of an actor, compiled. `codec` is its request's; `successes` and `refusals` are what it may answer."""

    name: str
    request: type[Effect]
    codec: Codec[Effect]
    function: Callable[[Effect, Call], Any]
    dependency: Dependency
    unknown: type[Unknown]
    successes: tuple[type[Outcome], ...]
    refusals: tuple[type[Outcome], ...]


@dataclass(frozen=True, slots=True)
class ActorPlan:
    """One actor, compiled. `sources` are the topics it consumes, its own first.

    `timers`, `outcomes` and `effects` are by contract name.

    `retries` are its retry topics, the shortest wait first; `dead_letters` is the topic of what it has given up.
    """

    name: str
    state: type[State]
    initial: State
    codec: Codec[State]
    handlers: Mapping[type[Message], Callable[..., State]]
    kinds: Mapping[type[Message], Kind]
    types: frozenset[str]
    timers: Mapping[str, Codec[Timer]]
    outcomes: Mapping[str, Codec[Outcome]]
    effects: Mapping[str, EffectPlan]
    sources: tuple[Topic, ...]
    events: Topic | None
    rows: Mapping[type[Row], RowPlan]
    policy: Policy
    retries: tuple[Tier, ...]
    dead_letters: str

    def letters(self) -> Iterator[LetterTopic]:
        """The topics for what failed here, with as many partitions as the actor has."""
        for tier in self.retries:
            yield LetterTopic(tier.topic, self.policy.partitions, (subscription_of(self.name),))
        yield LetterTopic(self.dead_letters, self.policy.partitions, ())


@dataclass(frozen=True, slots=True)
class Wiring:
    """A checked app. `commands` maps a command's type to the topic of its one taker; `contracts`: see `App`.

    `topics` carry messages under a schema, `letters` what failed, as bytes; no name is in both.
    """

    app: str
    contracts: int
    actors: Mapping[str, ActorPlan]
    commands: Mapping[type[Message], Topic]
    topics: Mapping[str, Topic]
    letters: Mapping[str, LetterTopic]

    def schemas(self) -> dict[str, Schema]:
        """Every schema that this code writes, by fingerprint."""
        plans = self.actors.values()
        codecs: list[Codec[Any]] = [topic.codec for topic in self.topics.values()]
        codecs += [plan.codec for plan in plans]
        codecs += [codec for plan in plans for codec in plan.timers.values()]
        codecs += [codec for plan in plans for codec in plan.outcomes.values()]
        codecs += [effect.codec for plan in plans for effect in plan.effects.values()]
        return {codec.schema.fingerprint: codec.schema for codec in codecs}

    def provisioned(self) -> Iterator[Topic | LetterTopic]:
        """Every topic that must be there before a worker starts."""
        yield from self.topics.values()
        yield from self.letters.values()

    def partitions(self) -> dict[str, int]:
        """Actor → how many shards."""
        return {name: plan.policy.partitions for name, plan in self.actors.items()}

    def tables(self) -> list[Table]:
        """The application's own tables."""
        return [row.table for plan in self.actors.values() for row in plan.rows.values()]

    def destination(self, actor: ActorPlan | None, message: Message) -> Topic:
        """The topic a message goes to; `MisuseError` when nobody takes it or `actor` may not publish it."""
        if isinstance(message, Event):
            if actor is not None and actor.events is not None and type(message) in actor.events.kinds:
                return actor.events
            text = (
                f"{actor.name if actor else 'a client'} may not publish {type(message).__name__}: add it "
                "to publishes=[…] of its actor"
            )
            raise MisuseError(text)
        topic = self.commands.get(type(message))
        if topic is None:
            text = (
                f"no actor or remote of app {self.app!r} takes {type(message).__name__}: write a handler, "
                "or name it in a Remote"
            )
            raise MisuseError(text)
        return topic


def subscription_of(actor: str) -> str:
    """The subscription under which an actor consumes."""
    return f"magnetar-{actor}"


def retry_topic(actor: str, delay: float) -> str:
    """The topic of what waits `delay` seconds for an actor, named as Pulsar's own tools name theirs."""
    return f"{actor}-{subscription_of(actor)}-RETRY-{_label(delay)}"


def dead_letter_topic(actor: str) -> str:
    """The topic of what an actor has given up, named as Pulsar's own tools name theirs."""
    return f"{actor}-{subscription_of(actor)}-DLQ"


def _label(delay: float) -> str:
    """Seconds in the largest unit that takes them whole: `10s`, `1m`, `90s`, `500ms`."""
    left = round(delay * 1_000)
    unit = "ms"
    for larger, size in _UNITS:
        if left % size:
            break
        left, unit = left // size, larger
    return f"{left}{unit}"


def namespace_of(app: str) -> str:
    """The Avro namespace of an app's topic records: Avro knows no hyphens."""
    return app.replace("-", "_")


def _kinds(types: Iterable[type[Message]]) -> dict[type[Message], Kind]:
    return {kind: _kind(kind) for kind in types}


def _kind(kind: type[Message]) -> Kind:
    field = key_field(kind)
    return Kind(contract_name(kind), None if field is None else attrgetter(field))


def checked_key(key: object, what: str) -> str:
    """`key`, if it can be one: text, not empty, at most `KEY_LIMIT` characters, no control characters.

    Else `MisuseError`.
    """
    if not isinstance(key, str) or not 0 < len(key) <= KEY_LIMIT or not key.isprintable():
        message = f"{what} has the key {key!r:.80}: a key is 1 to {KEY_LIMIT} printable characters"
        raise MisuseError(message)
    return key


def _own_topic(app: str, actor: Actor[Any], taken: Sequence[type[Message]]) -> Topic:
    types = tuple(kind for kind in taken if not issubclass(kind, (Timer, Outcome)))
    return Topic(
        actor.name,
        _kinds(types),
        topic_codec(actor.name, namespace_of(app), types),
        actor.policy.partitions,
        (actor.name,),
    )


def _events_topic(
    app: str, name: str, types: tuple[type[Event], ...], partitions: int | None, takers: tuple[str, ...]
) -> Topic:
    topic = f"{name}-events"
    return Topic(topic, _kinds(types), topic_codec(topic, namespace_of(app), types), partitions, takers)


def _takers(events: Iterable[type[Event]], taken: Mapping[str, Sequence[type[Message]]]) -> tuple[str, ...]:
    offered = set(events)
    return tuple(actor for actor, kinds in taken.items() if offered & set(kinds))


def _effect(found: EffectFound) -> EffectPlan:
    function, dependency, unknown = found.declared
    return EffectPlan(
        contract_name(found.request), found.request, codec_for(found.request), function, dependency, unknown,
        found.successes, found.refusals,
    )  # fmt: skip


def _plan(actor: Actor[Any], declaration: Declaration, topics: Mapping[str, Topic]) -> ActorPlan:
    handlers, effects = declaration.handlers[actor.name], declaration.effects[actor.name]
    own = (topics[actor.name],) if actor.name in topics else ()
    feeds = tuple(topic for name, topic in topics.items() if name != actor.name and actor.name in topic.takers)
    return ActorPlan(
        name=actor.name,
        state=actor.state,
        initial=actor.state(),
        codec=codec_for(actor.state),
        handlers=handlers,
        kinds=_kinds(handlers),
        types=frozenset(contract_name(kind) for kind in handlers),
        timers={contract_name(kind): codec_for(kind) for kind in handlers if issubclass(kind, Timer)},
        outcomes={contract_name(kind): codec_for(kind) for kind in handlers if issubclass(kind, Outcome)},
        effects={contract_name(kind): _effect(found) for kind, found in effects.items()},
        sources=own + feeds,
        events=topics.get(f"{actor.name}-events"),
        rows={row: row_plan(row) for row in actor.rows},
        policy=actor.policy,
        retries=tuple(Tier(retry_topic(actor.name, delay), delay) for delay in actor.policy.retry.tiers),
        dead_letters=dead_letter_topic(actor.name),
    )


def compile_wiring(contracts: int, declaration: Declaration) -> Wiring:
    """Compile a declaration that has no problems."""
    app, actors, remotes = declaration.app, declaration.actors, declaration.remotes
    taken: dict[str, Sequence[type[Message]]] = {name: tuple(kinds) for name, kinds in declaration.handlers.items()}
    topics: dict[str, Topic] = {}
    for actor in actors:
        own = _own_topic(app, actor, taken[actor.name])
        if own.kinds:
            topics[own.name] = own
        if actor.publishes:
            events = _events_topic(
                app, actor.name, actor.publishes, actor.policy.partitions, _takers(actor.publishes, taken)
            )
            topics[events.name] = events
    for remote in remotes:
        if remote.takes:
            topics[remote.name] = Topic(
                remote.name, _kinds(remote.takes), topic_codec(remote.name, namespace_of(app), remote.takes), None, ()
            )
        if remote.publishes:
            feed = _events_topic(app, remote.name, remote.publishes, None, _takers(remote.publishes, taken))
            topics[feed.name] = feed
    commands: dict[type[Message], Topic] = {
        kind: topic for topic in topics.values() for kind in topic.kinds if issubclass(kind, Command)
    }
    plans = {actor.name: _plan(actor, declaration, topics) for actor in actors}
    letters = {topic.name: topic for plan in plans.values() for topic in plan.letters()}
    return Wiring(app, contracts, plans, commands, topics, letters)
