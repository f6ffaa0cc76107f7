"""The command: play the report, print its table, and leave it as JSON and as a page."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console

from magnetar.chaos.cluster import enclosure
from magnetar.chaos.cluster.crew import CrewFailed
from magnetar.chaos.takeover import table
from magnetar.chaos.takeover.feeding import LoadFailed
from magnetar.chaos.takeover.netting import Bridges, Loopback, NetworkFailed
from magnetar.chaos.takeover.page import page
from magnetar.chaos.takeover.rows import NAMES, PROMISES
from magnetar.chaos.takeover.run import Showing, completed, run
from magnetar.runtime.bus.port import BusError
from magnetar.runtime.errors import MagnetarError
from magnetar.runtime.servers import ServerError
from magnetar.runtime.servers.locks import locked
from magnetar.runtime.store.port import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED = 4
"""Exit status when the report could not be made: a server, the load, or a worker beside what was done to it."""
INTERRUPTED = 130
_WIDTH = 200
_DATA = "data"


class OutputBusy(MagnetarError):
    """Another report is being made in the same folder."""


_PROBLEMS = (CrewFailed, LoadFailed, NetworkFailed, OutputBusy, ServerError, BusError, StoreError)
OUT = Path("build/takeover")


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
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the first process of a namespace has no default one
    if enclosure.is_inside():
        return _report(chosen, "")
    why = enclosure.why_not()
    if not why:
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
    """Only one at a time in a folder; what one that was killed has left there goes first."""
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    out: Path = chosen.out
    try:
        with locked(out / "lock", 0.0, OutputBusy(f"another report is being made in {out}: wait, or choose --out")):
            shutil.rmtree(out / _DATA, ignore_errors=True)
            (out / _DATA).mkdir()
            try:
                showing = _played(chosen, why_uncut, console)
            finally:
                _keep_logs(out)
            _tell(showing, out, console)
    except _PROBLEMS as problem:
        console.print(f"error: {problem}", highlight=False, soft_wrap=True, markup=False)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return showing.report.status


def _played(chosen: argparse.Namespace, why_uncut: str, console: Console) -> Showing:
    began = time.monotonic()

    def tell(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.1f} s[/]  {what}", highlight=False)

    network = Loopback(why_uncut) if why_uncut else Bridges()
    showing = run(network, chosen.out / _DATA, chosen.seed, chosen.rows, tell)
    return replace(showing, report=completed(showing.report, why_uncut, chosen.rows))


def _tell(showing: Showing, out: Path, console: Console) -> None:
    table.show(showing.report, console)
    (out / "takeover.json").write_bytes(msgspec.json.format(msgspec.json.encode(showing.report)))
    (out / "takeover.html").write_text(page(showing), encoding="utf-8")
    console.print(f"{out / 'takeover.html'}, {out / 'takeover.json'}", highlight=False, soft_wrap=True)


def _keep_logs(out: Path) -> None:
    """Logs of workers, load and servers stay; the servers' data go."""
    data, logs = out / _DATA, out / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir()
    for log in [*data.glob("*.log"), *data.glob("*.jsonl"), *data.glob("*.txt")]:
        shutil.copy(log, logs)
    for log in data.glob("*/**/server.log"):
        shutil.copy(log, logs / f"{log.parent.parent.name}.log")
    shutil.rmtree(data, ignore_errors=True)
