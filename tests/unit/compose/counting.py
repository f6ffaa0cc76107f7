"""A small app to load and run."""

from __future__ import annotations

from magnetar.runtime import Actor, App, Command, Context, Key, Policy, State, replace


class Add(Command):
    """Add a number."""

    counter: Key
    number: int = 1


class Break(Command):
    """Break the handler."""

    counter: Key


class Counter(State):
    """A sum."""

    total: int = 0


counters = Actor("counters", Counter, policy=Policy(partitions=2))


class BrokenError(Exception):
    """What the handler raises, and the trap."""


class Trap:
    """Fault points that break the engine itself, once set: a handler that raises breaks its message only."""

    def __init__(self) -> None:
        """Not set."""
        self.set = False

    def reach(self, point: str) -> None:
        """As `Points`. Once a group is handled, before it is committed."""
        if self.set and point == "phase:handled":
            raise BrokenError(point)


@counters.handles
def add(counter: Counter, message: Add, context: Context) -> Counter:
    """Add it."""
    return replace(counter, total=counter.total + message.number)


@counters.handles
def snap(counter: Counter, message: Break, context: Context) -> Counter:
    """Raise."""
    raise BrokenError(context.key)


counting = App("counting", counters)
number = 5
