"""The command: play it, print what it came to, and leave it as JSON."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.table import Table

from magnetar.actors.providing.emulator.log import LogDamaged
from magnetar.actors.providing.emulator.process import ProviderFailed
from magnetar.chaos.cluster.crew import CrewFailed
from magnetar.chaos.parking.sending import Stalled
from magnetar.chaos.parking.telling import OutputBusy, judged, keep_logs
from magnetar.chaos.paying.plan import Sizes
from magnetar.chaos.paying.run import Report, run
from magnetar.runtime.bus.port import BusError
from magnetar.runtime.servers import ServerError
from magnetar.runtime.servers.locks import locked
from magnetar.runtime.store.port import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED, INTERRUPTED = 4, 130
OUT = Path("build/paying")
_WIDTH = 120

_PROBLEMS = (CrewFailed, Stalled, OutputBusy, ProviderFailed, LogDamaged, ServerError, BusError, StoreError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Orders on real servers, with a payment provider that is killed, slow and lying: does anybody pay twice?

    Exit status 0: all is kept. 1: something is wrong with an order or its money. 5: not that, but not everything was
    tried: there were too few orders. 4: the report could not be made.
    """
    chosen = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    out: Path = chosen.out
    data = out / "data"
    try:
        with locked(out / "lock", 0.0, OutputBusy(f"another report is being made in {out}: wait, or choose --out")):
            shutil.rmtree(data, ignore_errors=True)
            data.mkdir()
            try:
                report = _played(chosen, data, console)
            finally:
                keep_logs(data, out / "logs")
            show(report, console)
            (out / "paying.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    except _PROBLEMS as problem:
        console.print(f"error: {problem}", highlight=False, soft_wrap=True, markup=False)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return report.status


def _parser() -> argparse.ArgumentParser:
    sizes = Sizes()
    parser = argparse.ArgumentParser(prog="python -m magnetar.chaos.paying", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of orders, blows and the provider's manners (default: 1)")
    parser.add_argument("--orders", type=_some, default=sizes.orders, help=f"how many (default: {sizes.orders})")
    parser.add_argument("--rate", type=float, default=sizes.rate, help=f"of them a second (default: {sizes.rate:.0f})")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder for JSON and logs (default: {OUT})")
    return parser


def _some(text: str) -> int:
    number = int(text)
    if number < 1:
        message = f"{number} orders are none"
        raise argparse.ArgumentTypeError(message)
    return number


def _played(chosen: argparse.Namespace, data: Path, console: Console) -> Report:
    began = time.monotonic()

    def tell(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.1f} s[/]  {what}", highlight=False)

    return run(Sizes(chosen.orders, chosen.rate), chosen.seed, data, tell)


def show(report: Report, console: Console) -> None:
    """Print how orders ended, and verdicts."""
    console.print(_endings(report))
    judged(report.verdicts, report.wrong, console)
    console.print(
        f"{report.orders:,} orders, at least {report.calls:,} calls of the provider; "
        f"kills: {report.provider_kills} of it, {report.worker_kills} of workers; "
        f"seed {report.seed}, {report.took:.0f} s",
        highlight=False,
    )


def _endings(report: Report) -> Table:
    table = Table(title="How orders ended", title_justify="left")
    for heading in ("order", "charge", "money"):
        table.add_column(heading)
    table.add_column("orders", justify="right")
    for each in report.endings:
        table.add_row(each.order.replace("_", " "), each.charge, each.money, f"{each.count:,}")
    return table
