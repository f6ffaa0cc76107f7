"""How fast a user's tests are: a story of thirty days in a `World`, and the same actor in trials.

The order of thirty days sets twelve timers, and each fires on its day. A trial plays a story of one actor with
troubles of its own for each seed. The floors are far below what any machine of today does: they are there so that a
slip by a factor is seen, and are compared with the median.

Usage: python -m benchmarks.world [ROUNDS] [SEEDS]; exit status 1 beyond a floor.
"""

from __future__ import annotations

import statistics
import sys
import time

from magnetar.chaos import survives
from magnetar.runtime import Actor, Command, Context, Key, State, Timer, World, replace

DAY = 86_400.0
TIMERS = 12
STORY_CEILING = 0.1
SEED_FLOOR = 50.0


class Place(Command):
    """Place an order."""

    order_id: Key


class Pay(Command):
    """Pay for it."""

    order_id: Key


class Remind(Timer):
    """Another two and a half days have passed."""

    number: int = 0


class Order(State):
    """An order that is reminded of."""

    status: str = "new"
    reminders: int = 0


orders = Actor("orders", Order)


@orders.handles
def place(order: Order, message: Place, context: Context) -> Order:  # noqa: ARG001 - a handler's signature
    """Set every timer."""
    if order.status != "new":
        return order
    for number in range(TIMERS):
        context.schedule(Remind(number=number), after=(number + 1) * 30 * DAY / TIMERS, name=f"reminder {number}")
    return replace(order, status="placed")


@orders.handles
def pay(order: Order, message: Pay, context: Context) -> Order:  # noqa: ARG001 - a handler's signature
    """Drop what is left of them."""
    for number in range(TIMERS):
        context.cancel(f"reminder {number}")
    return replace(order, status="paid")


@orders.handles
def remind(order: Order, message: Remind, context: Context) -> Order:  # noqa: ARG001 - a handler's signature
    """Count it."""
    return replace(order, reminders=order.reminders + 1)


def thirty_days() -> None:
    """An order that nobody pays."""
    with World(orders) as world:
        world.send(Place(order_id="o-1"))
        world.advance(30 * DAY)
        assert world.state(orders, "o-1").reminders == TIMERS


def paid_in_time(world: World) -> None:
    """An order that is paid after a minute."""
    world.send(Place(order_id="o-1"))
    world.advance(60)
    world.send(Pay(order_id="o-1"))


def thirty_days_take() -> float:
    """Seconds."""
    start = time.perf_counter()
    thirty_days()
    return time.perf_counter() - start


def seeds_a_second(seeds: int) -> float:
    """Whole playings, with the replay of their journals."""
    start = time.perf_counter()
    survives(orders, paid_in_time, seeds=seeds)
    return seeds / (time.perf_counter() - start)


def main() -> int:
    """Print each figure."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    taken = statistics.median(thirty_days_take() for _ in range(rounds))
    rate = statistics.median(seeds_a_second(seeds) for _ in range(3))
    print(f"thirty days with {TIMERS} timers: median {taken * 1000:.1f} ms, at most {STORY_CEILING * 1000:.0f}")
    print(f"trials of one actor: median {rate:.0f} seeds/s, floor {SEED_FLOOR:.0f}")
    return 0 if taken <= STORY_CEILING and rate >= SEED_FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
