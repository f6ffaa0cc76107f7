"""Playing the stage: send the plan in its time, kill the provider meanwhile, wait for rest, read everything."""

from __future__ import annotations

import time
from contextlib import closing
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from magnetar.actors.charging.rules import waits_for_provider
from magnetar.actors.demo.failing.bungling import Bungler
from magnetar.actors.demo.failing.judging import Stage
from magnetar.actors.demo.failing.shop import failing_shop
from magnetar.actors.demo.ground import DemoFailed, Ground
from magnetar.actors.demo.meter import read_meter
from magnetar.actors.demo.oracle import FINAL
from magnetar.actors.demo.run import REST, Progress
from magnetar.actors.providing.emulator.process import ProviderFailed, ProviderProcess
from magnetar.runtime import Client
from magnetar.schemas import Kept, State
from magnetar.schemas.commerce import Order, Payment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from magnetar.actors.demo.failing.plan import FailingPlan
    from magnetar.runtime.store.views import Views
    from magnetar.runtime.wiring import Wiring

S = TypeVar("S", bound=State)


def run_stage(
    make: Callable[[Wiring, Path, str], Ground],
    plan: FailingPlan,
    folder: Path,
    payment_timeout: float,
    show: Callable[[Progress], None],
) -> Stage:
    """Run it all in `folder`. `make`: a ground for an app with a provider at a URL.

    Raises `DemoFailed` when it cannot go on, and what bus and store raise.
    """
    began = time.monotonic()
    try:
        with ProviderProcess(folder / "provider.jsonl") as provider:
            provider.behave(plan.conduct)
            wiring = failing_shop(payment_timeout, provider.url).wire()
            ground = make(wiring, folder, provider.url)
            ground.start()
            _send(ground, wiring, plan, provider, show)
            _come_to_rest(ground, wiring, plan, show)
            ground.drain()
            entries = tuple(provider.entries())
    except ProviderFailed as error:
        raise DemoFailed(str(error)) from error
    measured = read_meter(folder / "commits.jsonl")
    with closing(ground.store.views()) as views:
        return Stage(
            placed=plan.orders,
            broken=frozenset(each.message.order_id for each in plan.broken),
            orders=_states(wiring, views, "orders", Order),
            entries=entries,
            parked=_orders(measured.parked),
            freed=_orders(measured.freed),
            dead=tuple(letter.key for letter in views.dead_letters(None, 100_000)),
            seconds=time.monotonic() - began,
        )


def _send(
    ground: Ground, wiring: Wiring, plan: FailingPlan, provider: ProviderProcess, show: Callable[[Progress], None]
) -> None:
    """Each message in its time, whole or broken; the provider is killed and comes back meanwhile."""
    with closing(ground.bus.connect("customers")) as bus:
        client, bungler = Client(wiring, bus, timeout=30.0), Bungler(wiring, bus)
        acts: list[tuple[float, Callable[[], object]]] = [
            (plan.at, provider.kill),
            (plan.at + plan.away, lambda: _return(provider, plan)),
            *((each.at, partial(bungler.send, each.message, each.message_id)) for each in plan.broken),
            *((each.at, partial(client.send, each.message, id=each.message_id)) for each in plan.messages),
        ]
        acts.sort(key=itemgetter(0))
        start = time.monotonic()
        for done, (at, act) in enumerate(acts):
            ground.check()
            time.sleep(max(0.0, at - (time.monotonic() - start)))
            act()
            show(Progress(done, len(acts) - 1, 0, len(plan.orders), "the provider fails"))
        client.close()


def _return(provider: ProviderProcess, plan: FailingPlan) -> None:
    provider.start()
    provider.behave(plan.conduct)


def _come_to_rest(ground: Ground, wiring: Wiring, plan: FailingPlan, show: Callable[[Progress], None]) -> None:
    """Until every order has ended, nobody waits for the provider, and nothing is parked or unsent."""
    deadline, total = time.monotonic() + REST, len(plan.messages)
    with closing(ground.store.views()) as views:
        while time.monotonic() < deadline:
            ground.check()
            orders = _states(wiring, views, "orders", Order)
            ended = sum(orders.get(key, Order()).status in FINAL for key in plan.orders)
            show(Progress(total, total, ended, len(plan.orders), "coming to rest"))
            if (
                ended == len(plan.orders)
                and len(views.dead_letters(None)) >= len(plan.broken)
                and _rests(wiring, views)
            ):
                return
            time.sleep(0.2)
    message = f"no rest within {REST} s after the last message to a shop whose provider fails"
    raise DemoFailed(message)


def _rests(wiring: Wiring, views: Views) -> bool:
    payments = _states(wiring, views, "payments", Payment)
    return (
        not any(load.unsent or load.parked for load in views.loads().values())
        and not any(waits_for_provider(payment) for payment in payments.values())
        and not any(views.effects_of("payments", key) for key in payments)
    )


def _states(wiring: Wiring, views: Views, actor: str, kind: type[S]) -> dict[str, S]:
    codec = wiring.actors[actor].codec
    found = {row.key: codec.decode(row.body, codec.schema, Kept(actor, row.key)) for row in views.states_of(actor)}
    return {key: state for key, state in found.items() if isinstance(state, kind)}


def _orders(keys: frozenset[str]) -> frozenset[str]:
    """Whose they are: `payments/o-1` is of order `o-1`."""
    return frozenset(key.partition("/")[2] for key in keys)
