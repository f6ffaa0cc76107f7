"""A small app whose handlers fail: as often as a message says, for good, or not at all.

A desk notes what it is told, in order; what it failed at must leave no trace, and what waited must be noted in order.
How often a message has failed is all that a handler knows of its attempts, so replay and simulation see the same.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from magnetar.chaos.simulation.deaths import Killed
from magnetar.runtime import (
    Actor,
    App,
    Command,
    Context,
    Event,
    Key,
    PermanentError,
    Policy,
    Retry,
    State,
    Timer,
    replace,
)
from magnetar.schemas import Kept

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from magnetar.runtime.wiring import Wiring
    from magnetar.schemas import Codec, Message, Origin, Schema

ATTEMPTS = 4
"""After so many failures a message is a dead letter."""

CRASHES = 3
"""And after so many workers that ended with it in hand."""

OPENED, HANDLED = "opened", "handled"
"""`kills` of a message that ends its worker, and when."""

ALWAYS, NEVER = 99, -1
"""`fails` of a message that fails whenever it is tried, and of one that says for good that it cannot be done."""

STUBBORN = ATTEMPTS + 1
"""`fails` of a message that dies, and is applied when it is replayed for the second time."""


class Note(Command):
    """Note this word, once it has failed so many times; and what else to do then. Or end the worker, each time."""

    desk: Key
    word: str
    fails: int = 0
    echoes: bool = False
    rings: float = 0.0
    hushes: bool = False
    kills: str = ""


class Ring(Timer):
    """It is time."""

    word: str = ""


class Echo(Event):
    """A desk has noted something that others want to hear."""

    desk: Key
    word: str


class Desk(State):
    """What was noted, in order."""

    words: tuple[str, ...] = ()


class Ear(State):
    """What was heard of a desk, in order."""

    words: tuple[str, ...] = ()


class Lethal:
    """The codec of the desks: it cannot survive some messages. Whoever only looks at a stored one does."""

    def __init__(self, inner: Codec[Message]) -> None:
        """Around the real one."""
        self._inner = inner

    @property
    def schema(self) -> Schema:
        """See `Codec`."""
        return self._inner.schema

    def encode(self, value: Message) -> bytes:
        """See `Codec`."""
        return self._inner.encode(value)

    def decode(self, data: bytes, writer: Schema, origin: Origin) -> Message:
        """See `Codec`."""
        message = self._inner.decode(data, writer, origin)
        if isinstance(message, Note) and message.kills == OPENED and not isinstance(origin, Kept):
            raise Killed("desks", message.desk, origin.message_id)
        return message


@cache
def clerks(partitions: int, afterwards: Literal["hold", "skip"], immediate: int) -> Wiring:
    """The app with so many partitions a desk, as a simulation wants it: it waits for nothing long."""
    retry = Retry(
        immediate=immediate, tiers=(0.2, 0.6), attempts=ATTEMPTS, crashes=CRASHES, jitter=0.3, afterwards=afterwards,
        alarm=3, bound=8,
    )  # fmt: skip
    wiring = clerks_app(partitions, retry).wire()
    topic = wiring.topics["desks"]
    object.__setattr__(topic, "codec", Lethal(topic.codec))  # an app declares types, and no codecs
    return wiring


def clerks_app(partitions: int, retry: Retry) -> App:
    """The app with so many partitions a desk, and this policy; `retry` has `ATTEMPTS` attempts."""
    return App("clerks", *make_clerks(partitions, retry))


def make_clerks(
    partitions: int, retry: Retry, noting: Callable[[Desk, Note, Context], Desk] | None = None
) -> tuple[Actor[Desk], Actor[Ear]]:
    """Desks and ears; `noting` in place of `note`."""
    desks = Actor("desks", Desk, publishes=[Echo], policy=Policy(partitions=partitions, punctuality=1.0, retry=retry))
    ears = Actor("ears", Ear, policy=Policy(partitions=partitions, punctuality=1.0))
    desks.handles(noting or note)
    desks.handles(ring)
    ears.handles(hear)
    return desks, ears


def note(desk: Desk, message: Note, context: Context) -> Desk:
    """Decide first and fail then: what was decided must be taken back.

    Who echoes and fails fails late: an echo for nobody is refused when the one before it is on the lane.
    """
    if message.kills:
        raise Killed("desks", context.key, context.envelope.message_id)
    if message.echoes:
        context.publish(Echo(desk=context.key, word=message.word))
    if message.rings:
        context.schedule(Ring(word=message.word), after=message.rings)
    if message.hushes:
        context.cancel(Ring)
    if message.fails == NEVER:
        raise PermanentError(message.word)
    if context.envelope.attempt < message.fails:
        if message.echoes:
            context.publish(Echo(desk="", word=message.word))
            return desk
        raise ArithmeticError(message.word)
    return replace(desk, words=(*desk.words, message.word))


def ring(desk: Desk, message: Ring, _: Context) -> Desk:
    """Note that it rang."""
    return replace(desk, words=(*desk.words, f"rang {message.word}"))


def hear(ear: Ear, message: Echo, _: Context) -> Ear:
    """Note what was heard."""
    return replace(ear, words=(*ear.words, message.word))
