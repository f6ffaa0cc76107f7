"""A small app whose handlers fail: as often as a message says, for good, or not at all.

A desk notes what it is told, in order; what it failed at must leave no trace, and what waited must be noted in order.
How often a message has failed is all that a handler knows of its attempts, so replay and simulation see the same.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from typing import Literal

    from magnetar.runtime.wiring import Wiring

ATTEMPTS = 4
"""After so many failures a message is a dead letter."""

ALWAYS, NEVER = 99, -1
"""`fails` of a message that fails whenever it is tried, and of one that says for good that it cannot be done."""


class Note(Command):
    """Note this word, once it has failed so many times; and what else to do then."""

    desk: Key
    word: str
    fails: int = 0
    echoes: bool = False
    rings: float = 0.0
    hushes: bool = False


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


@cache
def clerks(partitions: int, afterwards: Literal["hold", "skip"], immediate: int) -> Wiring:
    """The app with so many partitions a desk, as a simulation wants it: it waits for nothing long."""
    retry = Retry(
        immediate=immediate, tiers=(0.2, 0.6), attempts=ATTEMPTS, jitter=0.3, afterwards=afterwards, alarm=3, bound=8
    )
    return clerks_app(partitions, retry).wire()


def clerks_app(partitions: int, retry: Retry) -> App:
    """The app with so many partitions a desk, and this policy; `retry` has `ATTEMPTS` attempts."""
    desks = Actor("desks", Desk, publishes=[Echo], policy=Policy(partitions=partitions, punctuality=1.0, retry=retry))
    ears = Actor("ears", Ear, policy=Policy(partitions=partitions, punctuality=1.0))
    desks.handles(note)
    desks.handles(ring)
    ears.handles(hear)
    return App("clerks", desks, ears)


def note(desk: Desk, message: Note, context: Context) -> Desk:
    """Decide first and fail then: what was decided must be taken back.

    Who echoes and fails fails late: an echo for nobody is refused when the one before it is on the lane.
    """
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
