"""Upcasts: what a contract was → what it is, in Python, for a change that Avro's resolution cannot express.

    class Customer1(State):                 # what was released before, as it was
        __contract__ = "Customer"
        name: str = ""

    class Customer(State):
        first: str = ""
        last: str = ""

        @upcast(Customer1)
        @staticmethod
        def split(old: Customer1) -> Customer:
            first, _, last = old.name.partition(" ")
            return Customer(first=first, last=last)

A schema tells how many upcasts lead to it (`shapes.UPCASTS`), so whoever meets bytes knows where in the chain they
belong: what `Customer1` can read is read as one, whatever fields its own versions had, and goes through the functions
that follow, each of which is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from magnetar.schemas.contracts import Command, Effect, Event, Outcome, Record, State, Timer

Old = TypeVar("Old", bound=Record)
New = TypeVar("New", bound=Record)

KINDS: Final = (State, Command, Event, Timer, Effect, Outcome)


class Upcast(Generic[Old, New]):
    """A function from what a contract was to what it is. To be called in tests as the function itself."""

    __slots__ = ("before", "function")

    def __init__(self, before: type[Old], function: Callable[[Old], New]) -> None:
        """`before` is the type that the function takes."""
        self.before = before
        self.function = function

    def __call__(self, old: Old) -> New:
        """Return what the older value is now. Raises whatever the function raises."""
        return self.function(old)

    @property
    def name(self) -> str:
        """The function's own, as messages show it."""
        return getattr(self.function, "__qualname__", repr(self.function))


def upcast(before: type[Old]) -> Callable[[Callable[[Old], New]], Upcast[Old, New]]:
    """Declare, in a contract class, how the version before becomes this one.

    The function is pure: it must not ask clocks, chance or the outside, for it may run any number of times. It returns
    an instance of the class that it stands in. What it raises, and a value that does not fit its contract, are a
    contradiction of the bytes (`DecodeFailed`): nothing is guessed.
    """
    return lambda function: Upcast(before, function)


def declared_in(cls: type) -> list[Upcast[Any, Any]]:
    """Return the upcasts that a class itself declares; more than one is a mistake."""
    return [each for each in vars(cls).values() if isinstance(each, Upcast)]


def upcasts_of(cls: type) -> int:
    """Return how many upcasts lead to a class."""
    declared = declared_in(cls)
    return 1 + upcasts_of(declared[0].before) if declared else 0


def same_kind(one: type, other: type) -> bool:
    """Whether both are states, or both commands, and so on."""
    return all(issubclass(one, kind) == issubclass(other, kind) for kind in KINDS)
