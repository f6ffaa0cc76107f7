"""The command: play it, print what it came to, and leave it as JSON."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.table import Table

from magnetar.actors.providing.emulator.log import LogDamaged
from magnetar.actors.providing.emulator.process import ProviderFailed
from magnetar.chaos.cluster.reporting import reported
from magnetar.chaos.parking.sending import Stalled
from magnetar.chaos.parking.telling import judged
from magnetar.chaos.paying.plan import Sizes
from magnetar.chaos.paying.run import Report, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

OUT = Path("build/paying")
_WIDTH = 120


def main(arguments: Sequence[str] | None = None) -> int:
    """Orders on real servers, with a payment provider that is killed, slow and lying: does anybody pay twice?

    Exit status 0: all is kept. 1: something is wrong with an order or its money. 5: not that, but not everything was
    tried: there were too few orders. 4: the report could not be made.
    """
    chosen = _parser().parse_args(arguments)

    def leave(report: Report, console: Console) -> int:
        show(report, console)
        (chosen.out / "paying.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
        return report.status

    play = partial(run, Sizes(chosen.orders, chosen.rate), chosen.seed)
    return reported(chosen.out, play, leave, width=_WIDTH, problems=(Stalled, ProviderFailed, LogDamaged))


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
