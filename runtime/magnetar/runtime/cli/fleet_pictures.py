"""How shards and workers look. Pure: reports and a width in, something for a terminal out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from magnetar.runtime.cli.screen import NARROW
from magnetar.runtime.cli.wording import counted, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from magnetar.runtime.operate.fleet import ShardReport, WorkerReport

_NAME, _FAINT, _BAD, _GOOD, _MOVE = "bold", "dim", "bold red", "green", "cyan"
_TIGHT = 72
_NUMBERS = ("epoch", "unapplied", "oldest", "unsent", "timers", "parked", "shards", "groups")


def shards_picture(reports: Sequence[ShardReport], width: int) -> RenderableType:
    """A row for each, and a line that sums it up. What is parked is told where something is: it should be nothing."""
    rows = [_shard(report) for report in reports]
    if any(report.parked for report in reports):
        rows = [{**row, "parked": _parked(report)} for row, report in zip(rows, reports, strict=True)]
    return Group(_body(rows, width, ("why", "epoch")), Text(), _sum_of_shards(reports))


def workers_picture(reports: Sequence[WorkerReport], width: int) -> RenderableType:
    """The same for workers."""
    if not reports:
        return Text("no worker was seen within the last hour", style=_BAD)
    rows = [_worker(report) for report in reports]
    body = _body(rows, width, ("code", "which", "up"))
    alive = sum(report.alive for report in reports)
    return Group(body, Text(), Text(f"{alive} of {counted(len(reports), 'worker')} alive", style=_ill(not alive)))


def _shard(report: ShardReport) -> dict[str, Text]:
    """Its cells by their headings."""
    return {
        "shard": Text(report.shard, style=_NAME),
        "owner": _owner(report),
        "epoch": Text(str(report.epoch)),
        "changed": Text("-") if report.changed is None else _ago(report.changed),
        "why": Text((report.owner and report.why) or "-", style=_FAINT),
        "unapplied": _count(report.lag),
        "oldest": Text("-" if report.oldest is None else span(timedelta(seconds=report.oldest))),
        "unsent": _count(report.unsent),
        "timers": _count(report.timers),
    }


def _parked(report: ShardReport) -> Text:
    return Text(f"{report.parked:,}", style=_BAD if report.parked else _FAINT)


def _owner(report: ShardReport) -> Text:
    if not report.owner:
        how = "released" if report.clean else "not released in order"
        return Text.assemble(("nobody", _BAD), (f" ({how})" if report.epoch else " (never owned)", _FAINT))
    if not report.owner_alive:
        return Text.assemble((report.owner, _BAD), (" (not alive)", _BAD))
    return Text.assemble(report.owner, (" (careful)" if report.careful else "", _MOVE))


def _worker(report: WorkerReport) -> dict[str, Text]:
    state = Text("alive", style=_GOOD) if report.alive else Text("gone", style=_BAD)
    return {
        "worker": Text(report.worker, style=_NAME),
        "state": Text("leaving", style=_MOVE) if report.leaving else state,
        "seen": _ago(report.seen),
        "broker heard": _ago(report.heard),
        "up": Text(span(timedelta(seconds=report.up))),
        "shards": Text(str(len(report.shards))),
        "groups": Text(f"{report.progress:,}"),
        "code": Text(f"{report.code}, contracts {report.contracts}", style=_FAINT),
        "which": Text(_ranges(report.shards)),
    }


def _ranges(shards: Sequence[str]) -> str:
    """`orders/0-3,7 stock/1`: shards in their order, told briefly."""
    numbers: dict[str, list[int]] = {}
    for shard in shards:
        actor, _, number = shard.rpartition("/")
        numbers.setdefault(actor, []).append(int(number))
    return " ".join(f"{actor}/{','.join(runs(own))}" for actor, own in numbers.items())


def runs(numbers: Sequence[int]) -> list[str]:
    """`0-3`, `7`: ascending numbers, those that follow each other as one."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]


def _sum_of_shards(reports: Sequence[ShardReport]) -> Text:
    orphans = sum(not report.owner_alive for report in reports)
    owners = len({report.owner for report in reports if report.owner_alive})
    owned = f"{len(reports) - orphans} of {counted(len(reports), 'shard')} owned by {counted(owners, 'live worker')}"
    waiting = f"; {sum(report.unsent for report in reports):,} unsent"
    lags = [report.lag for report in reports if report.lag is not None]
    unapplied = f"; {sum(lags):,} unapplied" if lags else "; what is unapplied was not asked"
    parked = sum(report.parked for report in reports)
    return Text.assemble(
        (owned, _ill(bool(orphans))), waiting, unapplied, (f"; {parked:,} parked" if parked else "", _BAD)
    )


def _ago(seconds: float) -> Text:
    return Text(f"{span(timedelta(seconds=seconds))} ago")


def _count(number: int | None) -> Text:
    return Text("-" if number is None else f"{number:,}", style="" if number else _FAINT)


def _ill(is_ill: bool) -> str:
    return _BAD if is_ill else _GOOD


def _body(rows: Sequence[dict[str, Text]], width: int, dispensable: Sequence[str]) -> Table:
    """A table where there is room for one, with less room one without some columns, else a block for each row."""
    if width < _TIGHT:
        return _blocks(rows)
    if width < NARROW:
        rows = [{name: cell for name, cell in row.items() if name not in dispensable} for row in rows]
    return _table(rows)


def _table(rows: Sequence[dict[str, Text]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=_FAINT)
    for name in rows[0]:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    return table


def _blocks(rows: Sequence[dict[str, Text]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style=_FAINT, no_wrap=True)
    grid.add_column(overflow="fold")
    for row in rows:
        for at, (name, cell) in enumerate(row.items()):
            grid.add_row(name if at == 0 else f"  {name}", cell)
    return grid
