"""Running the demo: send the plan in its time, crash the worker half-way, wait for rest, read everything."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from magnetar.actors.demo.facts import Facts, gather
from magnetar.actors.demo.failing.judging import Stage, judge_stage
from magnetar.actors.demo.ground import DemoFailed, Ground
from magnetar.actors.demo.meter import Measured, read_meter
from magnetar.actors.demo.oracle import FINAL, Verdict, judge
from magnetar.actors.settings import ShopSettings
from magnetar.actors.shop import Shop, make_shop
from magnetar.runtime import Client
from magnetar.schemas import Kept
from magnetar.schemas.commerce import Order

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from magnetar.actors.demo.plan import Plan, Planned
    from magnetar.runtime.wiring import Wiring

BATCH = 0.05
"""Messages due within so many seconds are sent together."""
REST = 60.0
"""How long after the last message everything may take to come to rest, in seconds."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What the screen shows while the demo runs."""

    sent: int
    of_messages: int
    ended: int
    of_orders: int
    doing: str


@dataclass(frozen=True, slots=True)
class Result:
    """What the demo found. `crashed_at` and `began_at` are instants of the wall clock in microseconds."""

    facts: Facts
    verdicts: list[Verdict]
    measured: Measured
    plan: Plan
    began_at: int
    crashed_at: int
    back_at: int
    seconds: float
    stage: Stage | None = None

    def then(self, stage: Stage) -> Result:
        """The same, with what the stage with a failing provider came to."""
        return replace(self, verdicts=[*self.verdicts, *judge_stage(stage)], stage=stage)

    @property
    def ok(self) -> bool:
        """Whether every invariant holds."""
        return all(verdict.holds for verdict in self.verdicts)


def demo_shop(payment_timeout: float) -> Shop:
    """The shop in compressed time."""
    return make_shop(ShopSettings(payment_timeout=payment_timeout, stock_timeout=30.0, unclaimed_timeout=60.0))


def run_demo(ground: Ground, wiring: Wiring, plan: Plan, folder: Path, show: Callable[[Progress], None]) -> Result:
    """Run it all. Raises `DemoFailed` when the demo cannot go on, and what bus and store raise."""
    began, began_at = time.monotonic(), wall()
    ground.start()
    client_bus = ground.bus.connect("customers")
    client = Client(wiring, client_bus, timeout=30.0)
    try:
        crashed_at, back_at = _send(ground, client, plan, show)
        client.close()
    finally:
        client_bus.close()
    _come_to_rest(ground, wiring, plan, show)
    show(Progress(len(plan.messages), len(plan.messages), len(plan.stories), len(plan.stories), "reading everything"))
    ground.drain()
    views = ground.store.views()
    try:
        facts = gather(wiring, ground.bus, views, plan.messages)
    finally:
        views.close()
    measured = read_meter(folder / "commits.jsonl")
    return Result(facts, judge(facts), measured, plan, began_at, crashed_at, back_at, time.monotonic() - began)


def _send(ground: Ground, client: Client, plan: Plan, show: Callable[[Progress], None]) -> tuple[int, int]:
    """Send in time (open loop); when half is sent the worker dies, and is started again. Returns when that was."""
    start, at, crashed_at, back_at = time.monotonic(), 0, 0, 0
    total = len(plan.messages)
    while at < total:
        ground.check()
        now = time.monotonic() - start
        batch = _due(plan.messages, at, now)
        client.send_all([(each.message, each.message_id) for each in batch for _ in range(each.copies)])
        at += len(batch)
        show(Progress(at, total, 0, len(plan.stories), "sending"))
        if not crashed_at and at > total // 2:
            ground.crash()
            crashed_at = wall()
            show(Progress(at, total, 0, len(plan.stories), "the worker is dead"))
            ground.start()
            back_at = wall()
        if at < total:
            time.sleep(max(0.0, min(BATCH, plan.messages[at].at - (time.monotonic() - start))))
    return crashed_at, back_at


def _due(messages: tuple[Planned, ...], at: int, now: float) -> list[Planned]:
    end = at
    while end < len(messages) and messages[end].at <= now:
        end += 1
    return list(messages[at:end])


def _come_to_rest(ground: Ground, wiring: Wiring, plan: Plan, show: Callable[[Progress], None]) -> None:
    """Until every order has ended, nothing is unsent, and nothing more is applied."""
    deadline = time.monotonic() + REST
    views = ground.store.views()
    codec = wiring.actors["orders"].codec
    before = -1
    try:
        while time.monotonic() < deadline:
            ground.check()
            states = [
                codec.decode(row.body, codec.schema, Kept("orders", row.key)) for row in views.states_of("orders")
            ]
            ended = sum(isinstance(order, Order) and order.status in FINAL for order in states)
            show(Progress(len(plan.messages), len(plan.messages), ended, len(plan.stories), "coming to rest"))
            applied = sum(shard.commits for shard in views.shards())
            unsent = any(views.unsent_of(actor) for actor in wiring.actors)
            if ended >= len(plan.stories) and not unsent and applied == before:
                return
            before = applied
            time.sleep(0.7)
    finally:
        views.close()
    message = f"no rest within {REST} s after the last message"
    raise DemoFailed(message)


def wall() -> int:
    """The wall clock in microseconds."""
    return time.time_ns() // 1000
