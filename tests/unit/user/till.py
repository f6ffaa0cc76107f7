"""An app whose answers can be asked for."""

from __future__ import annotations

from magnetar.runtime import Actor, App, Command, Context, Event, Key, Policy, Remote, State, Timer, replace


class Pay(Command):
    """Pay an amount in."""

    account: Key
    amount: int = 1


class Letter(Command):
    """Is taken elsewhere."""

    address: Key


class Paid(Event):
    """An amount was paid in."""

    account: Key
    amount: int


class Overdue(Timer):
    """Nobody paid."""


class Account(State):
    """How much, how often."""

    amount: int = 0
    times: int = 0


accounts = Actor("accounts", Account, publishes=[Paid], policy=Policy(partitions=4))


@accounts.handles
def pay(account: Account, message: Pay, context: Context) -> Account:
    """Count it, tell it."""
    context.publish(Paid(account=context.key, amount=message.amount))
    return replace(account, amount=account.amount + message.amount, times=account.times + 1)


@accounts.handles
def overdue(account: Account, message: Overdue, context: Context) -> Account:
    """Nothing."""
    return account


till = App("till", accounts, remotes=[Remote("post", takes=[Letter])])
