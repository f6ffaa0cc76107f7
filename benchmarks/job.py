"""The job that both sides do: order events applied to per-order state exactly once, one event published for each.

The event is that of a shop: 12 fields, three lines, about 190 bytes of Avro. *Hot*: so many events an order, ids in
the order of time, interleaved within a window of live orders.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from uuid import UUID

from magnetar.runtime import Actor, App, Command, Context, Event, Key, Policy, Record, State, replace
from magnetar.runtime.identity import mint


class Line(Record):
    """One line of an order."""

    sku: str
    quantity: int
    price: int


class OrderEvent(Command):
    """Something that happened to an order."""

    event_id: UUID
    trace_id: UUID
    kind: str
    order_id: Key
    customer_id: str
    sequence: int
    occurred_at: datetime
    currency: str
    total: int
    source: str
    note: str | None
    lines: tuple[Line, ...]


class OrderChanged(Event):
    """What became of it."""

    order_id: Key
    customer_id: str
    status: str
    events: int
    total: int
    currency: str


class Order(State):
    """An order as its events made it."""

    status: str = "new"
    customer_id: str = ""
    currency: str = "EUR"
    events: int = 0
    total: int = 0
    last: datetime | None = None
    lines: tuple[Line, ...] = ()


def order_app(partitions: int = 16) -> App:
    """A fresh app with one actor that does the job."""
    orders = Actor("orders", Order, publishes=[OrderChanged], policy=Policy(partitions=partitions))

    @orders.handles
    def changed(order: Order, message: OrderEvent, context: Context) -> Order:
        context.publish(
            OrderChanged(
                order_id=context.key,
                customer_id=message.customer_id,
                status=message.kind,
                events=order.events + 1,
                total=order.total + message.total,
                currency=message.currency,
            )
        )
        return replace(
            order,
            status=message.kind,
            customer_id=message.customer_id,
            currency=message.currency,
            events=order.events + 1,
            total=order.total + message.total,
            last=message.occurred_at,
            lines=message.lines,
        )

    return App("bench", orders)


def events(count: int, per_order: int = 10, window: int = 2000, seed: int = 1) -> list[OrderEvent]:
    """`count` events, `per_order` for each order, interleaved within a window of live orders."""
    chance = random.Random(seed)
    start = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1_000_000)
    live: list[tuple[int, int]] = []
    made: list[OrderEvent] = []
    born = 0
    while len(made) < count:
        while len(live) < min(window, max(1, count // per_order)) and born < count // per_order:
            live.append((born, 0))
            born += 1
        at = chance.randrange(len(live))
        number, sequence = live[at]
        made.append(_event(number, sequence, start + len(made) * 100, chance))
        if sequence + 1 == per_order:
            live[at] = live[-1]
            live.pop()
        else:
            live[at] = (number, sequence + 1)
    return made


def _event(number: int, sequence: int, now: int, chance: random.Random) -> OrderEvent:
    lines = tuple(Line(sku=f"sku-{chance.randrange(500)}", quantity=1 + at, price=499 + at) for at in range(3))
    return OrderEvent(
        event_id=UUID(bytes=mint(now, chance.randbytes)),
        trace_id=UUID(bytes=chance.randbytes(16)),
        kind=("placed", "reserved", "paid", "shipped")[sequence % 4],
        order_id=f"order-{number:07}",
        customer_id=f"customer-{number % 5000:05}",
        sequence=sequence,
        occurred_at=datetime.fromtimestamp(now / 1_000_000, UTC),
        currency="EUR",
        total=sum(line.quantity * line.price for line in lines),
        source="web",
        note=None,
        lines=lines,
    )
