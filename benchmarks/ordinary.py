"""What people write today, and what the loop makes of the same job: the ratio, measured side by side.

The ordinary consumer takes a message, decodes it with fastavro, validates it with pydantic, and in one transaction
looks it up in its inbox, loads the order's JSON, writes it back, and adds the outgoing event, as Avro, to an outbox
from which it deletes the oldest row. It does not even publish. The loop is a whole worker: receivers, decoding,
handlers, journal, states, outbox, one commit a group, relay to the topic of events. Both are fed from the in-process
bus and keep either SQLite files with `synchronous=FULL`, where the ordinary one uses Python's own `sqlite3`, or
databases of one PostgreSQL 18 with `synchronous_commit` and `fsync` on, where it uses psycopg, both as people do. They
take turns; the figure is the median of the ratios. It depends on what the disk takes for a flush, which is printed:
the ordinary consumer waits for one with every message.

Usage: python -m benchmarks.ordinary [ROUNDS] [EVENTS] [sqlite|postgres]; exit status 1 below the floor.
"""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

import io
import json
import os
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import fastavro
import pydantic

from benchmarks.databases import Database, databases
from benchmarks.job import OrderEvent, events, order_app
from magnetar.runtime import Client
from magnetar.runtime.bus.memory import Broker, MemoryBus
from magnetar.runtime.compose.places import EmbeddedBus, provision_embedded, store_place
from magnetar.runtime.compose.process import tune_collector
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.threads.loop import wall_clock

FLOORS = {"sqlite": 5.0, "postgres": 8.0}


class LineIn(pydantic.BaseModel):
    """A line, validated."""

    sku: str
    quantity: int
    price: int


class OrderEventIn(pydantic.BaseModel):
    """An event, validated."""

    event_id: UUID
    trace_id: UUID
    kind: str
    order_id: str
    customer_id: str
    sequence: int
    occurred_at: datetime
    currency: str
    total: int
    source: str
    note: str | None
    lines: list[LineIn]


class OrderIn(pydantic.BaseModel):
    """The order as it is stored."""

    status: str = "new"
    customer_id: str = ""
    currency: str = "EUR"
    events: int = 0
    total: int = 0
    last: datetime | None = None
    lines: list[LineIn] = []


class Ordinary:
    """A hand-written consumer: right, and one transaction a message."""

    def __init__(self, database: Database, taken: str, published: str) -> None:
        """`taken` and `published` are the topics' schemas."""
        self._taken = fastavro.parse_schema(json.loads(taken))
        self._published = fastavro.parse_schema(json.loads(published))
        self._database = database

    def handle(self, body: bytes, message_id: str) -> None:
        """One message."""
        record = cast("dict[str, Any]", fastavro.schemaless_reader(io.BytesIO(body), self._taken, None))
        event = OrderEventIn.model_validate(record["body"])
        with self._database.transaction():
            if not self._database.rows("SELECT 1 FROM inbox WHERE id = ?", message_id):
                self._apply(event, message_id)

    def _apply(self, event: OrderEventIn, message_id: str) -> None:
        ask = self._database.rows
        found = ask("SELECT version, body FROM orders WHERE id = ?", event.order_id)
        version: int = found[0][0] if found else 0
        order = OrderIn.model_validate_json(found[0][1]) if found else OrderIn()
        order.status, order.customer_id, order.currency = event.kind, event.customer_id, event.currency
        order.events, order.total = order.events + 1, order.total + event.total
        order.last, order.lines = event.occurred_at, event.lines
        ask("INSERT INTO inbox (id) VALUES (?)", message_id)
        ask(
            "INSERT INTO orders (id, version, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE "
            "SET version = excluded.version, body = excluded.body WHERE orders.version = excluded.version - 1",
            *(event.order_id, version + 1, order.model_dump_json()),
        )
        ask("INSERT INTO outbox (key, body) VALUES (?, ?)", event.order_id, self._event(event, order))
        ask("DELETE FROM outbox WHERE number = (SELECT min(number) FROM outbox)")

    def _event(self, event: OrderEventIn, order: OrderIn) -> bytes:
        body = {
            "order_id": event.order_id,
            "customer_id": event.customer_id,
            "status": event.kind,
            "events": order.events,
            "total": order.total,
            "currency": event.currency,
        }
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, self._published, {"body": ("benchmarks.OrderChanged", body)})
        return stream.getvalue()

    def total(self) -> int:
        """What the database says was applied."""
        return sum(json.loads(body)["events"] for (body,) in self._database.rows("SELECT body FROM orders"))


def fed(messages: list[OrderEvent]) -> Broker:
    """A broker whose topic holds the messages."""
    wiring = order_app().wire()
    broker = Broker(wall_clock)
    provision_embedded(broker, wiring)
    client = Client(wiring, MemoryBus(broker, "feeder"))
    for start in range(0, len(messages), 1000):
        client.send_all([(message, message.event_id) for message in messages[start : start + 1000]])
    return broker


def ordinary_rate(messages: list[OrderEvent], database: Database) -> float:
    """Events a second of the ordinary consumer."""
    broker = fed(messages)
    topics = order_app().wire().topics
    schemas = [topics[name].codec.schema.text for name in ("orders", "orders-events")]
    consumer = Ordinary(database, *schemas)
    bus = MemoryBus(broker, "ordinary")
    sources = [bus.subscribe("orders", partition, "magnetar-orders").poll() for partition in range(16)]
    left = len(messages)
    start = time.perf_counter()
    while left:
        for source in sources:
            assert source is not None
            for delivery in source.receive(200, 0.0):
                consumer.handle(delivery.body, delivery.properties["message_id"])
                source.acknowledge(delivery.position)
                left -= 1
    rate = len(messages) / (time.perf_counter() - start)
    assert consumer.total() == len(messages)
    return rate


def loop_rate(messages: list[OrderEvent], store: str) -> float:
    """Events a second of a whole worker on a store, from its start until all is applied and published."""
    broker = fed(messages)
    wiring = order_app().wire()
    place = store_place(store)
    worker = RunningWorker(wiring, EmbeddedBus(broker), place)
    start = time.perf_counter()
    worker.start()
    published = broker.topic("orders-events").partitions
    while sum(len(partition.log.deliveries) for partition in published) < len(messages):
        time.sleep(0.002)
    rate = len(messages) / (time.perf_counter() - start)
    worker.drain()
    views = place.views()
    assert sum(row.version for row in views.states_of("orders")) == len(messages)
    views.close()
    return rate


def flush_time(folder: Path, times: int = 200) -> float:
    """Seconds that the disk takes to make 8 kB durable, on average."""
    with (folder / "flush").open("wb", buffering=0) as file:
        start = time.perf_counter()
        for _ in range(times):
            file.seek(0)
            file.write(b"x" * 8192)
            os.fsync(file.fileno())
        return (time.perf_counter() - start) / times


def main() -> int:
    """Print each round and the median."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    kind = sys.argv[3] if len(sys.argv) > 3 else "sqlite"
    tune_collector()
    ratios: list[float] = []
    with tempfile.TemporaryDirectory() as name, databases(kind, Path(name)) as fresh:
        for number in range(1, rounds + 1):
            flush = flush_time(Path(name))
            with fresh() as (database, _):
                ordinary = ordinary_rate(events(count // 5, seed=number), database)
            with fresh() as (_, url):
                loop = loop_rate(events(count, seed=number), url)
            ratios.append(loop / ordinary)
            told = f"ordinary {ordinary:8,.0f}/s   loop {loop:8,.0f}/s   ratio {loop / ordinary:5.2f}"
            print(f"round {number}: {told}   flush {flush * 1e6:4.0f} µs")
    median = statistics.median(ratios)
    print(f"{kind}: ratio: median {median:.2f} ({min(ratios):.2f} to {max(ratios):.2f}), floor {FLOORS[kind]}")
    return 0 if median >= FLOORS[kind] else 1


if __name__ == "__main__":
    sys.exit(main())
