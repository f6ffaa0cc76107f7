"""The app that is killed: two actors that send to each other, a timer, an effect, own rows, and what fails at first."""

from __future__ import annotations

from typing import ClassVar

from magnetar.runtime import (
    Actor,
    App,
    Call,
    Command,
    Context,
    Dependency,
    Effect,
    Event,
    Key,
    Outcome,
    Policy,
    Retry,
    Row,
    State,
    TemporaryError,
    Timer,
    Unknown,
    replace,
)

PATIENCE = 0.3
RETRY = Retry(immediate=1, tiers=(0.1,), crashes=1_000, jitter=0.0)
"""Every worker here is ended by a test: no message is to be given up for that."""


class Deposit(Command):
    """Adds to an account, and asks the ledger to count it."""

    account: Key
    amount: int


class Count(Command):
    """Asks a branch to count an amount."""

    branch: Key
    account: str
    amount: int


class Counted(Event):
    """A branch has counted an amount for an account."""

    account: Key
    amount: int


class Reminder(Timer):
    """Comes a moment after each deposit; the latest deposit's replaces the ones before."""


class Print(Effect):
    """A slip of paper for a deposit."""

    amount: int


class Printed(Outcome):
    """It was printed."""

    amount: int


class PrintUnknown(Unknown):
    """Nobody knows."""


class Account(State):
    """What was deposited, and what branches have counted of it."""

    deposited: int = 0
    counted: int = 0
    reminded: int = 0
    printed: int = 0


class Branch(State):
    """What a branch has counted."""

    total: int = 0


class Booking(Row):
    """One deposit, in the application's own table."""

    __table__: ClassVar[str] = "bookings"
    account: str
    amount: int


printer = Dependency("printer", timeout=0.2, attempts=100, tiers=(0.05,), rate=1000.0, burst=1000)
accounts = Actor("accounts", Account, rows=[Booking], policy=Policy(partitions=2, retry=RETRY))
branches = Actor("branches", Branch, publishes=[Counted], policy=Policy(partitions=2, retry=RETRY))


@accounts.handles
def deposit(account: Account, message: Deposit, context: Context) -> Account:
    """Book it, ask a branch, and set the reminder anew; every fifth is parked first, every fourth is printed."""
    if message.amount % 5 == 0 and not context.envelope.attempt:
        text = "not yet"
        raise TemporaryError(text)
    context.record(Booking(account=context.key, amount=message.amount))
    context.send(Count(branch=f"b-{message.amount % 3}", account=context.key, amount=message.amount))
    context.schedule(Reminder(), after=PATIENCE)
    if message.amount % 4 == 0:
        context.effect(Print(amount=message.amount))
    return replace(account, deposited=account.deposited + message.amount)


@accounts.handles
def counted(account: Account, message: Counted, context: Context) -> Account:
    """A branch has answered."""
    return replace(account, counted=account.counted + message.amount)


@accounts.handles
def reminder(account: Account, message: Reminder, context: Context) -> Account:
    """Time has passed since the last deposit."""
    return replace(account, reminded=account.reminded + 1)


@accounts.effect(printer, unknown=PrintUnknown)
def print_slip(request: Print, call: Call) -> Printed:
    """Done as soon as it is asked."""
    return Printed(amount=request.amount)


@accounts.handles
def printed(account: Account, message: Printed, context: Context) -> Account:
    """The slip is there."""
    return replace(account, printed=account.printed + message.amount)


@accounts.handles
def print_unknown(account: Account, message: PrintUnknown, context: Context) -> Account:
    """It never is: there are more attempts than lives."""
    raise AssertionError(message)


@branches.handles
def count(branch: Branch, message: Count, context: Context) -> Branch:
    """Count it, and say so."""
    context.publish(Counted(account=message.account, amount=message.amount))
    return replace(branch, total=branch.total + message.amount)


TILL = App("till", accounts, branches)
