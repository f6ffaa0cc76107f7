"""The command: play the report, print its table, and leave it as JSON and as a page."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.cluster import enclosure
from magnetar.chaos.cluster.plans import provide
from magnetar.chaos.cluster.reporting import FAILED, reported
from magnetar.chaos.takeover import table
from magnetar.chaos.takeover.feeding import LoadFailed
from magnetar.chaos.takeover.netting import Bridges, Loopback, NetworkFailed
from magnetar.chaos.takeover.page import page
from magnetar.chaos.takeover.rows import NAMES, PROMISES
from magnetar.chaos.takeover.run import Showing, completed, run
from magnetar.runtime.servers.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

OUT = Path("build/takeover")
_WIDTH = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, freeze, cut off, restart and add workers under load, on real servers, and measure what shards notice.

    Exit status 0: every row is kept. 1: an order came to harm, a worker fell, or shards stayed without an owner. 5: not
    that, but a bound is exceeded. 3: not that either, but a row is unknown (the machine had no time) or was not run. 4:
    the report could not be made.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    chosen = _parser().parse_args(given)
    if chosen.list:
        print("\n".join(f"{promise.name:<10} {promise.title}: {promise.bound}" for promise in PROMISES))  # noqa: T201
        return 0
    if enclosure.is_inside():
        return _report(chosen, "")
    why = enclosure.why_not()
    if not why:
        try:
            provide()
        except ServerError as problem:
            print(f"error: {problem}")  # noqa: T201
            return FAILED
        enclosure.enter("magnetar.chaos.takeover", given)
    return _report(chosen, why)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m magnetar.chaos.takeover", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the orders, and of who is struck (default: 1)")
    parser.add_argument("--rows", nargs="+", choices=NAMES, default=list(NAMES), metavar="ROW", help="only these")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder for page, JSON and logs (default: {OUT})")
    parser.add_argument("--list", action="store_true", help="the rows in words")
    return parser


def _report(chosen: argparse.Namespace, why_uncut: str) -> int:
    network = Loopback(why_uncut) if why_uncut else Bridges()

    def play(data: Path, tell: Callable[[str], None]) -> Showing:
        showing = run(network, data, chosen.seed, chosen.rows, tell)
        return replace(showing, report=completed(showing.report, why_uncut, chosen.rows))

    leave = partial(_leave, chosen.out)
    return reported(chosen.out, play, leave, width=_WIDTH, problems=(LoadFailed, NetworkFailed))


def _leave(out: Path, showing: Showing, console: Console) -> int:
    table.show(showing.report, console)
    (out / "takeover.json").write_bytes(msgspec.json.format(msgspec.json.encode(showing.report)))
    (out / "takeover.html").write_text(page(showing), encoding="utf-8")
    console.print(f"{out / 'takeover.html'}, {out / 'takeover.json'}", highlight=False, soft_wrap=True)
    return showing.report.status
