"""An app for trying the engine: an account does what a message says, branches hear of it."""

from __future__ import annotations

from typing import ClassVar

from magnetar.runtime import Actor, App, Command, Context, Event, Key, Policy, Row, State, Timer, replace


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


accounts = Actor("accounts", Account, publishes=[Told], rows=[Booking], policy=Policy(partitions=2, punctuality=5.0))
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
    """`tell branch word`, `ask account word`, `timer s name`, `cancel name`, `book word`, `big bytes`, `raise`."""
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
        case ["raise"]:
            raise HandlerError(context.key)
        case _:
            pass


bank = App("bank", accounts, branches)
