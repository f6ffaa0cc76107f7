"""The command: play it, print what it came to, and leave it as JSON."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.table import Table

from magnetar.chaos.cluster.reporting import reported
from magnetar.chaos.parking.plan import Sizes
from magnetar.chaos.parking.run import Report, run
from magnetar.chaos.parking.sending import Stalled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from magnetar.chaos.parking.judging import Verdict

OUT = Path("build/parking")
_WIDTH = 120
_MEGABYTE = 1_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Orders, some of which fail, under workers that are killed, on real servers: do healthy ones notice?

    Exit status 0: all is kept. 1: something is wrong with an order. 5: not that, but a figure is missed. 4: the report
    could not be made.
    """
    chosen = _parser().parse_args(arguments)
    sizes = Sizes(chosen.orders, chosen.windows, chosen.seconds)

    def leave(report: Report, console: Console) -> int:
        show(report, console)
        (chosen.out / "parking.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
        return report.status

    play = partial(run, sizes, chosen.seed)
    return reported(chosen.out, play, leave, width=_WIDTH, problems=(Stalled,))


def _parser() -> argparse.ArgumentParser:
    sizes = Sizes()
    parser = argparse.ArgumentParser(prog="python -m magnetar.chaos.parking", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the orders (default: 1)")
    parser.add_argument("--orders", type=int, default=sizes.orders, help=f"how many (default: {sizes.orders})")
    parser.add_argument("--windows", type=int, default=sizes.windows, help=f"how many (default: {sizes.windows})")
    parser.add_argument("--seconds", type=float, default=sizes.seconds, help=f"of each (default: {sizes.seconds:.0f})")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder for JSON and logs (default: {OUT})")
    return parser


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
