"""An app for trying the engine: an account does what a message says, branches hear of it."""

from __future__ import annotations

from typing import ClassVar

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
    Row,
    State,
    TemporaryError,
    Timer,
    replace,
)


class Do(Command):
    """Do these deeds, in order: see `act`."""

    account: Key
    deeds: tuple[str, ...] = ()


class Rang(Timer):
    """A timer has rung."""

    word: str = ""


class Told(Event):
    """An account told a branch something."""

    branch: Key
    word: str = ""


class Asked(Command):
    """An account asks another one to note something."""

    account: Key
    word: str = ""


class Account(State):
    """What was done, in order."""

    done: tuple[str, ...] = ()


class Branch(State):
    """What was heard, in order."""

    heard: tuple[str, ...] = ()


class Booking(Row):
    """A row of the application's own."""

    __table__: ClassVar[str] = "bookings"

    account: str
    word: str


RETRY = Retry(immediate=2, tiers=(10.0, 60.0), attempts=5, jitter=0.0, alarm=5, bound=20)

accounts = Actor(
    "accounts", Account, publishes=[Told], rows=[Booking], policy=Policy(partitions=2, punctuality=5.0, retry=RETRY)
)
branches = Actor("branches", Branch, policy=Policy(partitions=3))


class HandlerError(Exception):
    """What a handler raises that was told to."""


@accounts.handles
def do(account: Account, message: Do, context: Context) -> Account:
    """Each deed in turn."""
    for deed in message.deeds:
        act(deed, context)
    return replace(account, done=(*account.done, *(message.deeds or ("nothing",))))


@accounts.handles
def asked(account: Account, message: Asked, context: Context) -> Account:
    """Note it."""
    return replace(account, done=(*account.done, message.word))


@accounts.handles
def rang(account: Account, message: Rang, context: Context) -> Account:
    """Note it."""
    return replace(account, done=(*account.done, f"rang {message.word}"))


@branches.handles
def told(branch: Branch, message: Told, context: Context) -> Branch:
    """Note it."""
    return replace(branch, heard=(*branch.heard, message.word))


def act(deed: str, context: Context) -> None:
    """`tell branch word`, `ask account word`, `timer s name`, `cancel name`, `book word`, `big bytes`, or as `fail`."""
    match deed.split():
        case ["tell", branch, word]:
            context.publish(Told(branch=branch, word=word))
        case ["ask", account, word]:
            context.send(Asked(account=account, word=word))
        case ["timer", seconds, name]:
            context.schedule(Rang(word=name), after=float(seconds), name=name)
        case ["cancel", name]:
            context.cancel(name)
        case ["book", word]:
            context.record(Booking(account=context.key, word=word))
        case ["big", size]:
            context.publish(Told(branch="b", word="x" * int(size)))
        case _:
            fail(deed, context.envelope.attempt)


def fail(deed: str, attempt: int) -> None:
    """`raise`, `fail times`, `later delay`, `never`."""
    match deed.split():
        case ["raise"]:
            raise HandlerError(deed)
        case ["fail", times] if attempt < int(times):
            raise HandlerError(f"attempt {attempt} of {times}")
        case ["later", delay] if not attempt:
            raise TemporaryError("not yet", delay=float(delay))
        case ["never"]:
            raise PermanentError("no such account")
        case _:
            pass


bank = App("bank", accounts, branches)

skippers = Actor(
    "accounts",
    Account,
    publishes=[Told],
    rows=[Booking],
    policy=Policy(partitions=2, retry=Retry(immediate=1, tiers=(10.0,), attempts=2, afterwards="skip")),
)
skippers.handles(do)
skippers.handles(asked)
skippers.handles(rang)
hasty = App("bank", skippers, branches)
"""The same bank, in which an account goes on after a dead letter."""
