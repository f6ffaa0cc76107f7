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

from magnetar.chaos.cluster.crew import CrewFailed
from magnetar.chaos.parking.plan import Sizes
from magnetar.chaos.parking.run import Report, run
from magnetar.chaos.parking.sending import Stalled
from magnetar.runtime.bus.port import BusError
from magnetar.runtime.errors import MagnetarError
from magnetar.runtime.servers import ServerError
from magnetar.runtime.servers.locks import locked
from magnetar.runtime.store.port import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from magnetar.chaos.parking.judging import Verdict

FAILED, INTERRUPTED = 4, 130
OUT = Path("build/parking")
_WIDTH = 120
_MEGABYTE = 1_000_000


class OutputBusy(MagnetarError):
    """Another report is being made in the same folder."""


_PROBLEMS = (CrewFailed, Stalled, OutputBusy, ServerError, BusError, StoreError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Orders, some of which fail, under workers that are killed, on real servers: do healthy ones notice?

    Exit status 0: all is kept. 1: something is wrong with an order. 5: not that, but a figure is missed. 4: the report
    could not be made.
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
            (out / "parking.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    except _PROBLEMS as problem:
        console.print(f"error: {problem}", highlight=False, soft_wrap=True, markup=False)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return report.status


def _parser() -> argparse.ArgumentParser:
    sizes = Sizes()
    parser = argparse.ArgumentParser(prog="python -m magnetar.chaos.parking", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the orders (default: 1)")
    parser.add_argument("--orders", type=int, default=sizes.orders, help=f"how many (default: {sizes.orders})")
    parser.add_argument("--windows", type=int, default=sizes.windows, help=f"how many (default: {sizes.windows})")
    parser.add_argument("--seconds", type=float, default=sizes.seconds, help=f"of each (default: {sizes.seconds:.0f})")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder for JSON and logs (default: {OUT})")
    return parser


def _played(chosen: argparse.Namespace, data: Path, console: Console) -> Report:
    began = time.monotonic()

    def tell(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.1f} s[/]  {what}", highlight=False)

    return run(Sizes(chosen.orders, chosen.windows, chosen.seconds), chosen.seed, data, tell)


def show(report: Report, console: Console) -> None:
    """Print windows and verdicts."""
    console.print(_windows(report))
    judged(report.verdicts, report.wrong, console)
    peak = max(report.peaks) / _MEGABYTE
    console.print(
        f"{report.orders:,} orders, {report.messages:,} messages applied, {report.kills} workers killed; "
        f"at most {peak:.0f} MB a worker; seed {report.seed}, {report.took:.0f} s",
        highlight=False,
    )


def judged(verdicts: Iterable[Verdict], wrong: Iterable[str], console: Console) -> None:
    """Print what was asked and seen, and the first of what was wrong."""
    table = Table(title="What was asked, and what was seen", title_justify="left")
    for heading in ("asked", "seen", ""):
        table.add_column(heading)
    for each in verdicts:
        table.add_row(each.asked, each.seen, "[green]kept[/]" if each.kept else "[bold red]BROKEN[/]")
    console.print(table)
    for words in wrong:
        console.print(f"  {words}", highlight=False, markup=False)


def _windows(report: Report) -> Table:
    table = Table(title="Healthy messages, from meant to applied", title_justify="left")
    table.add_column("windows")
    for heading in ("messages", "p50", "p99"):
        table.add_column(heading, justify="right")
    for each in report.windows:
        name = f"{each.number + 1}, {'with' if each.fails else 'without'} failures"
        table.add_row(name, f"{each.count:,}", f"{each.p50 * 1000:.0f} ms", f"{each.p99:.2f} s")
    return table


def keep_logs(data: Path, logs: Path) -> None:
    """Logs of workers and servers stay; the servers' data go."""
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir()
    for log in data.glob("*.log"):
        shutil.copy(log, logs)
    for log in data.glob("*/**/server.log"):
        shutil.copy(log, logs / f"{log.parent.parent.name}.log")
    shutil.rmtree(data, ignore_errors=True)
