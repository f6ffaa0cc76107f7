"""`magnetar demo`."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.console import Console

from magnetar.actors.demo.failing.plan import make_failing_plan
from magnetar.actors.demo.ground import DemoFailed, Embedded, Ground, OnPulsar
from magnetar.actors.demo.page import page
from magnetar.actors.demo.plan import make_plan
from magnetar.actors.demo.run import Result, demo_shop, run_demo
from magnetar.actors.demo.screen import Bars, figures, outcomes, tell
from magnetar.runtime.bus.port import BusError
from magnetar.runtime.compose.machine import java_home, places
from magnetar.runtime.compose.process import tune_collector
from magnetar.runtime.servers.errors import ServerError
from magnetar.runtime.servers.pulsar import running_pulsar
from magnetar.runtime.store.port import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from magnetar.actors.demo.failing.judging import Stage
    from magnetar.actors.demo.failing.plan import FailingPlan
    from magnetar.actors.demo.run import Progress
    from magnetar.runtime.wiring import Wiring

    Make: TypeAlias = Callable[[Wiring, Path, str], Ground]

VIOLATED, UNAVAILABLE = 1, 3


class Bus(StrEnum):
    """Where the demo runs."""

    MEMORY = "memory"
    PULSAR = "pulsar"


def demo(
    bus: Annotated[
        Bus, typer.Option(help="The in-process bus, or a real Pulsar that the demo starts itself.")
    ] = Bus.MEMORY,
    orders: Annotated[int, typer.Option(min=50, max=100_000, help="How many orders are placed.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same customers.")] = 1,
    payment_timeout: Annotated[float, typer.Option(min=1.0, help="The shop's half hour, compressed to seconds.")] = 3.0,
    out: Annotated[Path | None, typer.Option(help="Where the page and the store go; a new folder by default.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Run the shop under load, crash its worker half-way, and count everything afterwards; then fail its provider.

    Customers click twice, pay twice, pay too early, too late, too little or never. Then a second shop asks a payment
    provider that is killed, slow and lying. At the end of each an oracle reads all topics, the store, the sender's own
    log and the provider's. Exit status 1 when an invariant is broken.

    Examples:  magnetar demo    magnetar demo --bus pulsar    magnetar demo --orders 10000 --seed 7
    """
    console = Console(stderr=as_json)
    folder = (out or Path(tempfile.mkdtemp(prefix="magnetar-demo-"))).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    wiring = demo_shop(payment_timeout).app.wire()
    failing = make_failing_plan(orders, seed)
    spread = max(4.0, orders / 300 if bus is Bus.MEMORY else orders / 200)
    plan = make_plan(orders, seed, payment_timeout=payment_timeout, spread=spread)
    try:
        with _grounds(bus, folder, payment_timeout, console) as make:
            tune_collector()
            ground = make(wiring, folder, "")
            with Bars(console) as bars:
                result = run_demo(ground, wiring, plan, folder, bars.show)
            with Bars(console) as bars:
                result = result.then(_failing(make, failing, folder / "failing", payment_timeout, bars.show))
    except (DemoFailed, BusError, StoreError, ServerError) as error:
        sys.stderr.write(f"magnetar demo: {error}\n")
        raise typer.Exit(UNAVAILABLE) from error
    report = folder / "report.html"
    where = "a real Pulsar" if bus is Bus.PULSAR else "the in-process bus"
    report.write_text(page(result, bus=where, crash=ground.crash_told, seed=seed), encoding="utf-8")
    if as_json:
        sys.stdout.write(json.dumps(_as_json(result, report), indent=2) + "\n")
    else:
        _tell(console, result, report)
    if not result.ok:
        raise typer.Exit(VIOLATED)


def _tell(console: Console, result: Result, report: Path) -> None:
    tell(console, result)
    store = f"sqlite:///{report.parent}/shop.db"
    console.print(f"\nlook closer: magnetar key timeline orders/o-1 --store {store}", soft_wrap=True)
    console.print(str(report), soft_wrap=True)


def _failing(make: Make, plan: FailingPlan, folder: Path, timeout: float, show: Callable[[Progress], None]) -> Stage:
    folder.mkdir(exist_ok=True)
    logging.basicConfig(filename=folder / "worker.log", level=logging.WARNING)  # a line for each doubt is too much here
    try:
        from magnetar.actors.demo.failing.stage import run_stage  # noqa: PLC0415 - the command line needs no such extra
    except ModuleNotFoundError as error:
        if error.name != "httpx2":
            raise
        message = "the demo's payment provider needs httpx2: install magnetar[payments]"
        raise DemoFailed(message) from error
    return run_stage(make, plan, folder, timeout, show)


@contextmanager
def _grounds(bus: Bus, folder: Path, timeout: float, console: Console) -> Generator[Make]:
    """What makes a ground for an app, its folder, and its provider's URL."""
    if bus is Bus.MEMORY:
        yield lambda wiring, below, _: Embedded(wiring, below)
        return
    console.print("starting a real Pulsar (fetched once, then cached) …")
    with ExitStack() as opened:
        server = opened.enter_context(running_pulsar(folder / "pulsar", places().cache, java_home=java_home()))

        def make(wiring: Wiring, below: Path, provider: str) -> Ground:
            arguments = (str(timeout), provider)
            ground = OnPulsar(wiring, below, server.service_url, server.admin_url, *arguments)
            opened.callback(ground.stop)
            return ground

        yield make


def _as_json(result: Result, report: Path) -> dict[str, object]:
    return {
        "ok": result.ok,
        "figures": dict(figures(result)),
        "outcomes": {f"{status}/{ended_by}": count for (status, ended_by), count in outcomes(result).items()},
        "invariants": [
            {"promise": each.promise, "cases": each.cases, "holds": each.holds, "broken": each.broken}
            for each in result.verdicts
        ],
        "report": str(report),
    }
