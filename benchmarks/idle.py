"""100,000 idle orders, live in one process: what each costs in memory.

Every order is made through the whole engine (a message applied and committed), and stays live. The figure per order
is what Python frees when the entities alone are dropped, by tracemalloc: entity, key, state, and its place in the
shard's table. The process's resident set is printed beside it.

Usage: python -m benchmarks.idle [ORDERS]
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from os import urandom
from pathlib import Path
from time import monotonic

from magnetar.runtime import Actor, App, Client, Command, Context, Key, State, replace
from magnetar.runtime.bus.memory import Broker, MemoryBus
from magnetar.runtime.compose.places import provision_embedded, store_place
from magnetar.runtime.threads.loop import steady_clock, wall_clock
from magnetar.runtime.worker.engine import Engine, Surroundings
from magnetar.runtime.worker.intake import Inline, Receiving
from magnetar.runtime.worker.observer import Observer

LIMIT = 512


class Place(Command):
    """Places an order."""

    order_id: Key


class Order(State):
    """Nine fields, as an order has."""

    status: str = "new"
    customer: str = ""
    currency: str = "EUR"
    total: int = 0
    paid: int = 0
    refunded: int = 0
    lines: int = 0
    events: int = 0
    note: str | None = None


orders = Actor("orders", Order)


@orders.handles
def place(order: Order, message: Place, context: Context) -> Order:  # noqa: ARG001 - a handler's signature
    """Placed."""
    return replace(order, status="placed", events=order.events + 1)


def resident() -> int:
    """The process's resident set in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> int:
    """Make them, drop them, print the difference."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    wiring = App("idle", orders).wire()
    broker = Broker(wall_clock)
    provision_embedded(broker, wiring)
    client = Client(wiring, MemoryBus(broker, "client"))
    around = Surroundings(
        bus=MemoryBus(broker, "worker"),
        store=store_place("memory:").open(),
        owner="idle",
        code="bench",
        receiving=Receiving(Inline, wake=lambda: None),
        noise=urandom,
        clock=monotonic,
        observer=Observer(),
    )
    engine = Engine(wiring, around)
    tracemalloc.start()
    for start in range(0, count, 5000):
        client.send_all([(Place(order_id=f"order-{number:07}"), None) for number in range(start, start + 5000)])
        run(engine, broker)
    live = sum(len(shard.entities) for shard in engine.holdings.shards())
    gc.collect()
    before, rss = tracemalloc.get_traced_memory()[0], resident()
    for shard in engine.holdings.shards():
        shard.entities.clear()
        shard.rounds.clear()  # passivation knows every entity too
        shard.arrived.clear()
    gc.collect()
    each = (before - tracemalloc.get_traced_memory()[0]) / live
    print(f"{live:,} idle orders: {each:.0f} bytes each (limit {LIMIT}); the process had {rss / 1e6:.0f} MB")
    return 0 if live == count and each <= LIMIT else 1


def run(engine: Engine, broker: Broker) -> None:
    """Until all is applied."""
    while not engine.quiet or any(broker.backlog("orders", at, "magnetar-orders") for at in range(16)):
        engine.step(steady_clock())


if __name__ == "__main__":
    sys.exit(main())
