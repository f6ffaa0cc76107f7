"""A small app that asks the outside: a bill is charged once, and what it is told of that must be the truth.

What the provider does at each attempt is written in the request, so a run is the same run again.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from magnetar.runtime import (
    Actor,
    App,
    Breaking,
    Call,
    Command,
    Context,
    Dependency,
    Effect,
    Event,
    Failed,
    Key,
    NotSent,
    Outcome,
    Policy,
    Retry,
    State,
    TemporaryError,
    Timer,
    Unknown,
    replace,
)

if TYPE_CHECKING:
    from magnetar.runtime.wiring import Wiring

TIMEOUT = 0.4
PROVIDER = Dependency(
    "provider",
    threads=2,
    queue=2,
    timeout=TIMEOUT,
    rate=40.0,
    burst=3,
    attempts=3,
    tiers=(0.1, 0.4),
    jitter=0.3,
    breaking=Breaking(share=0.6, window=6, least=3, opens=0.4, probes=1),
)


class Settle(Command):
    """Have it charged; `moods` are what the provider does at each attempt, the last one also at those after it."""

    bill: Key
    moods: tuple[str, ...] = ()


class Fuss(Command):
    """Fails so many times: what comes meanwhile waits."""

    bill: Key
    fails: int = 1


class Nudge(Timer):
    """A bill is looked at after a while."""


class Said(Event):
    """A bill was told something."""

    bill: Key
    word: str


class Charge(Effect):
    """Take the money for a bill."""

    bill: str
    moods: tuple[str, ...] = ()


class Charged(Outcome):
    """It was taken."""


class Declined(Outcome):
    """It was not, and will not be."""

    final: bool = True


class ChargeUnknown(Unknown):
    """Nobody knows."""


class Bill(State):
    """What it was told, in order, and under which keys it has asked."""

    told: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    fussed: int = 0
    nudged: int = 0


class Diary(State):
    """What was heard of a bill, in order."""

    words: tuple[str, ...] = ()


@cache
def cashiers(partitions: int) -> Wiring:
    """The app with so many partitions."""
    retry = Retry(immediate=1, tiers=(0.2, 0.6), attempts=4, jitter=0.3)
    bills = Actor("bills", Bill, publishes=[Said], policy=Policy(partitions=partitions, punctuality=1.0, retry=retry))
    bills.handles(settle)
    bills.handles(fuss)
    bills.handles(nudge)
    bills.handles(charged)
    bills.handles(declined)
    bills.handles(nobody_knows)
    bills.effect(PROVIDER, unknown=ChargeUnknown)(charge)
    diaries = Actor("diaries", Diary, policy=Policy(partitions=partitions, punctuality=1.0))
    diaries.handles(hear)
    return App("cashiers", bills, diaries).wire()


def settle(bill: Bill, message: Settle, context: Context) -> Bill:
    """Ask for the money, and look again later."""
    context.schedule(Nudge(), after=0.4)
    key = context.effect(Charge(bill=context.key, moods=message.moods))
    return replace(bill, keys=(*bill.keys, key))


def fuss(bill: Bill, message: Fuss, context: Context) -> Bill:
    """Not now."""
    if context.envelope.attempt < message.fails:
        raise TemporaryError("not now", delay=0.3)
    return replace(bill, fussed=bill.fussed + 1)


def nudge(bill: Bill, _: Nudge, __: Context) -> Bill:
    """It was time."""
    return replace(bill, nudged=bill.nudged + 1)


def hear(diary: Diary, message: Said, _: Context) -> Diary:
    """Note it."""
    return replace(diary, words=(*diary.words, message.word))


def charged(bill: Bill, _: Charged, context: Context) -> Bill:
    """Note it."""
    return _noted(bill, "charged", context)


def declined(bill: Bill, message: Declined, context: Context) -> Bill:
    """Note it."""
    return _noted(bill, "declined" if message.final else "refused", context)


def nobody_knows(bill: Bill, message: ChargeUnknown, context: Context) -> Bill:
    """Note it."""
    return _noted(bill, "unknown" if message.sent else "unsent", context)


def _noted(bill: Bill, word: str, context: Context) -> Bill:
    context.publish(Said(bill=context.key, word=word))
    return replace(bill, told=(*bill.told, word))


def charge(request: Charge, call: Call) -> Charged | Failed[Declined]:
    """Never called: a run's provider stands in its place."""
    raise NotSent(f"{request.bill}, {call.idempotency_key}: nobody is there")
