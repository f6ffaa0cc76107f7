"""The bank one day: in cents. What `bank` has released is kept as it was, and upcast."""

from __future__ import annotations

from typing import ClassVar

from magnetar.runtime import Actor, App, Command, Context, Event, Key, Policy, Row, State, Timer, replace, upcast


class Deposit(Command):
    """As it was: nothing of it has changed."""

    account: Key
    amount: int


class Count1(Command):
    """As it was."""

    __contract__ = "Count"
    branch: Key
    account: str
    amount: int


class Count(Command):
    """Asks a branch to count an amount, in cents."""

    branch: Key
    account: str
    cents: int

    @upcast(Count1)
    @staticmethod
    def in_cents(old: Count1) -> Count:
        """A hundred of them."""
        return Count(branch=old.branch, account=old.account, cents=old.amount * 100)


class Counted(Event):
    """As it was."""

    account: Key
    amount: int


class Reminder1(Timer):
    """As it was."""

    __contract__ = "Reminder"


class Reminder(Timer):
    """Says which of them it is."""

    number: int = 0

    @upcast(Reminder1)
    @staticmethod
    def numbered(old: Reminder1) -> Reminder:  # noqa: ARG004 - it says nothing
        """The first had no number."""
        return Reminder(number=7)


class Account1(State):
    """As it was."""

    __contract__ = "Account"
    deposited: int = 0
    counted: int = 0
    reminded: int = 0


class Account(State):
    """In cents."""

    cents: int = 0
    counted: int = 0
    reminded: int = 0

    @upcast(Account1)
    @staticmethod
    def in_cents(old: Account1) -> Account:
        """A hundred of them."""
        return Account(cents=old.deposited * 100, counted=old.counted * 100, reminded=old.reminded)


class Branch(State):
    """As it was."""

    total: int = 0


class Booking(Row):
    """As it was."""

    __table__: ClassVar[str] = "bookings"
    account: str
    amount: int


accounts = Actor("accounts", Account, rows=[Booking], policy=Policy(partitions=2))
branches = Actor("branches", Branch, publishes=[Counted], policy=Policy(partitions=2))


@accounts.handles
def deposit(account: Account, message: Deposit, context: Context) -> Account:
    """Add it."""
    return replace(account, cents=account.cents + message.amount * 100)


@accounts.handles
def counted(account: Account, message: Counted, context: Context) -> Account:
    """A branch has answered."""
    return replace(account, counted=account.counted + message.amount)


@accounts.handles
def reminder(account: Account, message: Reminder, context: Context) -> Account:
    """Note which."""
    return replace(account, reminded=account.reminded + message.number)


@branches.handles
def count(branch: Branch, message: Count, context: Context) -> Branch:
    """Count it, and say so."""
    context.publish(Counted(account=message.account, amount=message.cents))
    return replace(branch, total=branch.total + message.cents)


LATER = App("bank", accounts, branches, contracts=1)
