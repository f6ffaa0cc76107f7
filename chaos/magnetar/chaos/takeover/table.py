"""The report on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from magnetar.chaos.takeover.capacity import share_of
from magnetar.chaos.takeover.rows import Colour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from magnetar.chaos.takeover.rows import Row
    from magnetar.chaos.takeover.run import Report

_STYLES = {Colour.KEPT: "green", Colour.BROKEN: "bold red", Colour.UNKNOWN: "yellow", Colour.NOT_RUN: "dim"}
_HEADINGS = (
    "longest gap",
    "handled",
    "counted",
    "starved",
    "twice delivered",
    "refused",
    "moved",
    "lost",
    "reordered",
    "twice",
    "forked",
    "other",
)


def show(report: Report, console: Console) -> None:
    """Print the table, and under it every reason for a row that is not kept."""
    console.print(_table(report))
    for line in reasons(report):
        console.print(line, highlight=False)
    console.print(summary(report), highlight=False)


def summary(report: Report) -> str:
    """One line about all of it."""
    load = f"{report.rate:.0f} orders/s ({share_of(report.capacity):.0%})"
    return (
        f"{report.orders:,} orders, {report.messages:,} messages applied, {report.partitions} partitions an actor; "
        f"capacity {report.capacity:.0f} orders/s, load {load}; seed {report.seed}, {report.took:.0f} s"
    )


def reasons(report: Report) -> Iterator[str]:
    """Why rows are not kept, and what the machine was like."""
    for row in report.rows:
        for reason in row.reasons:
            yield f"  {row.title}: {reason}"
    for words in report.wrong:
        yield f"  the whole run: {words}"


def _table(report: Report) -> Table:
    table = Table(title="When workers die, freeze, are cut off, come and go", title_justify="left")
    table.add_column("event")
    table.add_column("bound")
    for heading in _HEADINGS:
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for row in report.rows:
        table.add_row(row.title, row.bound, *cells(row), f"[{_STYLES[row.colour]}]{row.colour.value}[/]")
    return table


def cells(row: Row) -> list[str]:
    """The figures of a row, in the order of the headings; a dash where there is none."""
    if row.colour is Colour.NOT_RUN:
        return ["-"] * len(_HEADINGS)
    return [
        _seconds(row.gap),
        _seconds(row.handled),
        _seconds(row.counted),
        _seconds(row.starved),
        str(row.duplicates),
        "-" if row.refused is None else str(row.refused),
        "-" if row.moved is None else f"{row.moved} of ≥ {row.least}",
        *(str(count) for count in (row.lost, row.reordered, row.twice, row.forked, row.other)),
    ]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
