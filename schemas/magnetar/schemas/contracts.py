"""The types a contract is written in: messages, states, and the marks on their fields.

Everything here is immutable. A class that derives from `Record` (or `Command`, `Event`, `Timer`, `State`) is a frozen,
keyword-only struct without saying so; mypy and pyright see it as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeVar, dataclass_transform

import msgspec
from msgspec import field

T = TypeVar("T", bound=msgspec.Struct)

MOST_DIGITS = 1000
"""Upper bound of a decimal's precision: far above any money, far below what would cost time."""


class FrozenStruct(msgspec.StructMeta):
    """Makes every contract class frozen, keyword-only and invisible to the cyclic garbage collector."""

    def __new__(  # noqa: D102 - the class says it
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],  # a class body, as Python hands it over
        **config: Any,  # noqa: ANN401 - the options of msgspec.Struct
    ) -> FrozenStruct:
        for option, value in (("frozen", True), ("kw_only", True), ("gc", False)):
            if config.setdefault(option, value) is not value:
                message = f"{name}: {option}={config[option]} is not possible: contract types are {option}={value}"
                raise TypeError(message)
        return super().__new__(mcs, name, bases, namespace, **config)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False, metaclass=FrozenStruct):
    """A nested value inside messages and states; becomes an Avro record."""

    __namespace__: ClassVar[str]
    """Avro namespace of the class; by default the first component of its module (``app`` for a script)."""

    __contract__: ClassVar[str]
    """Avro name of the class, without namespace; by default the class's own. For what a contract was: see `upcast`."""


class Message(Record):
    """What is sent: base of `Command`, `Event`, `Timer`, `Effect` and `Outcome`, not used directly."""


class Command(Message):
    """Asks one actor to do something; its marked `Key` field says which entity."""


class Event(Message):
    """States that something has happened."""


class Timer(Message):
    """What an entity sends to itself for later; needs no key."""


class Effect(Message):
    """What an entity asks of the outside world: done after the commit that asks it; needs no key."""


class Outcome(Message):
    """What became of an effect, told to the entity that has asked; needs no key."""


class Unknown(Outcome):
    """Nobody knows what became of an effect: base of the messages that say so. Own fields need defaults.

    `sent` is False when each of the `attempts` is known not to have reached the other side; `error` is of the last one.
    """

    idempotency_key: Annotated[str, Doc("under which the other side was asked, each time")]
    attempts: Annotated[int, Doc("how often it was asked")]
    sent: Annotated[bool, Doc("false: each attempt is known not to have reached the other side")]
    error: Annotated[str, Doc("of the last attempt")]


class State(Record):
    """What an actor knows of one key. Every field has a default: a key never seen is simply ``YourState()``."""


@dataclass(frozen=True, slots=True)
class KeyMark:
    """Marks the field that says which entity a message is for."""


Key = Annotated[str, KeyMark()]
"""Type of a message's key field; type checkers see `str`."""


@dataclass(frozen=True, slots=True)
class Digits:
    """How a Decimal is written: `Annotated[Decimal, Digits(precision=12, scale=2)]` has 12 digits, 2 after the point.

    Both numbers are for life: bytes written with another scale mean another amount.
    """

    precision: int
    scale: int

    def __post_init__(self) -> None:
        """Refuse numbers that Avro does not allow."""
        if not 1 <= self.precision <= MOST_DIGITS or not 0 <= self.scale <= self.precision:
            message = f"{self}: needs 1 <= precision <= {MOST_DIGITS} and 0 <= scale <= precision"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Doc:
    """A field's documentation, kept in the Avro schema: `Annotated[str, Doc("ISO 4217")]`."""

    text: str


@dataclass(frozen=True, slots=True)
class Wire:
    """Writes a field as another Avro type than its Python type would: see `Int32`, `Float32` and `Millis`."""

    avro: str


Int32 = Annotated[int, Wire("int")]
"""An int of 32 bits, as foreign schemas have it; own contracts use `int` (64 bits)."""

Float32 = Annotated[float, Wire("float")]
"""A float of 32 bits, as foreign schemas have it; a value that 32 bits cannot hold exactly is not encoded."""

Millis = Annotated[datetime, Wire("timestamp-millis")]
"""An aware datetime in whole milliseconds, as foreign schemas have it; own contracts use `datetime` (microseconds)."""


class Money(msgspec.Struct, frozen=True, gc=False):
    """An exact amount: `amount` counts the minor unit (cents) of `currency` (ISO 4217 code)."""

    amount: Annotated[int, Doc("minor units of the currency, such as cents")]
    currency: Annotated[str, Doc("ISO 4217 code, such as EUR")]


def replace(value: T, **changes: Any) -> T:  # noqa: ANN401 - the fields differ from type to type
    """Return a copy of a frozen value with some fields changed. An unknown field is a TypeError."""
    return msgspec.structs.replace(value, **changes)
