"""Contract types that the tests of this folder share: one for every kind of field."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from magnetar.schemas import (
    Command,
    Digits,
    Doc,
    Event,
    Float32,
    Int32,
    Key,
    Millis,
    Money,
    Record,
    State,
    Timer,
)
from magnetar.schemas.contracts import FrozenStruct

Amount = Annotated[Decimal, Digits(precision=12, scale=2)]


class Status(enum.Enum):
    """Where an order is."""

    __namespace__ = "shop"

    NEW = "new"
    PAID = "paid"
    GONE = "gone"


class Line(Record):
    """One line of an order."""

    __namespace__ = "shop"

    sku: str
    quantity: int = 1
    price: Amount = Decimal("0.10")


class Place(Command):
    """Asks for an order."""

    __namespace__ = "shop"

    order_id: Key
    lines: tuple[Line, ...]
    note: str | None = None
    total: Money = Money(0, "EUR")


class Paid(Event):
    """One field of every kind."""

    __namespace__ = "shop"

    order_id: Key
    text: str
    flag: bool
    number: int
    small: Int32
    real: float
    single: Float32
    raw: bytes
    at: datetime
    then: Millis
    day: date
    reference: UUID
    amount: Annotated[Amount, Doc("what was paid")]
    status: Status
    tags: Mapping[str, Amount]
    counts: tuple[tuple[int, ...], ...]
    maybe_at: datetime | None
    maybe_amount: Amount | None
    maybe_line: Line | None
    maybe_lines: tuple[Line, ...] | None


class Overdue(Timer):
    """Has no fields at all."""

    __namespace__ = "shop"


class Tree(Record):
    """A type that contains itself."""

    __namespace__ = "shop"

    label: str = ""
    amount: Amount = Decimal(0)
    children: tuple[Tree, ...] = ()
    twin: Tree | None = None


class Order(State):
    """What is known of an order; a default of every kind."""

    __namespace__ = "shop"

    status: Status = Status.PAID
    text: str = 'a "quoted" \\ text'
    note: str | None = "none yet"
    flag: bool = True
    number: int = -(2**63)
    small: Int32 = 7
    real: float = 1.5
    single: Float32 = 0.25
    raw: bytes = b"\x00\xff"
    at: datetime = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    then: Millis = datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    day: date = date(2026, 2, 28)
    reference: UUID = UUID("12345678-1234-5678-1234-567812345678")
    amount: Amount = Decimal("-12.34")
    maybe: Amount | None = None
    total: Money = Money(1, "EUR")
    lines: tuple[Line, ...] = (Line(sku="s-1"),)
    tags: Mapping[str, int] = {}
    tree: Tree = Tree()


def made(base: type[Record], name: str, body: dict[str, Any]) -> Any:
    """Return a contract type that is made from the outside, as a checker could not follow."""
    return FrozenStruct(name, (base,), {"__module__": __name__, **body})


CONTRACTS = (Place, Paid, Overdue, Order, Tree, Line, Money)
MESSAGES = (Place, Paid, Overdue)


@dataclass(frozen=True)
class From:
    """A message's origin, as the codec's errors name it."""

    topic: str = "orders"
    message_id: str = "m-1"
    schema_version: str = "7"


PAID = Paid(
    order_id="o-1",
    text="",
    flag=True,
    number=0,
    small=0,
    real=0.0,
    single=0.0,
    raw=b"",
    at=datetime(2026, 1, 1, tzinfo=UTC),
    then=datetime(2026, 1, 1, tzinfo=UTC),
    day=date(2026, 1, 1),
    reference=UUID(int=1),
    amount=Decimal("12.34"),
    status=Status.NEW,
    tags={},
    counts=(),
    maybe_at=None,
    maybe_amount=None,
    maybe_line=None,
    maybe_lines=None,
)
