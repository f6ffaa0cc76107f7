"""How the doctor's findings look. Pure: findings and a width in, something for a terminal out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from magnetar.runtime.cli.screen import NARROW
from magnetar.runtime.cli.wording import counted
from magnetar.runtime.operate.doctor.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from magnetar.runtime.operate.doctor.finding import Finding

_STYLE = {Severity.OK: "green", Severity.ADVICE: "yellow", Severity.DANGER: "bold red"}
_FAINT, _NAME = "dim", "bold"


def picture(findings: Sequence[Finding], width: int, *, everything: bool = False) -> RenderableType:
    """Dangers first, then advice; what is well is counted, or listed where `everything` is asked for."""
    parts = [part for severity in (Severity.DANGER, Severity.ADVICE) for part in _blocks(_of(findings, severity))]
    well = _of(findings, Severity.OK)
    if everything and well:
        parts += [_table(well, width), Text()]
    return Group(*parts, _sum(findings))


def _of(findings: Iterable[Finding], severity: Severity) -> list[Finding]:
    return [finding for finding in findings if finding.severity is severity]


def _blocks(findings: Iterable[Finding]) -> Iterator[RenderableType]:
    for finding in findings:
        style = _STYLE[finding.severity]
        yield Text.assemble(
            (finding.severity.value, style), "  ", (finding.subject, _NAME), (f"  {finding.check}", _FAINT)
        )
        yield Padding(_facts(finding), (0, 0, 1, 3))


def _facts(finding: Finding) -> Table:
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style=_FAINT, no_wrap=True)
    rows.add_column(overflow="fold")
    rows.add_row("found", Text(finding.found, style=_STYLE[finding.severity]))
    rows.add_row("wanted", Text(finding.wanted))
    rows.add_row("why", Text(f"{finding.why} ({finding.rule})"))
    for number, step in enumerate(finding.change):
        rows.add_row("" if number else "change", Text(step, style="cyan"))
    return rows


def _table(findings: Iterable[Finding], width: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(style=_STYLE[Severity.OK], no_wrap=True)
    for _ in range(3 if width >= NARROW else 2):
        table.add_column(overflow="fold")
    for finding in findings:
        cells = (finding.check, finding.subject, finding.found)
        table.add_row(Severity.OK.value, *(cells if width >= NARROW else cells[::2]))
    return table


def _sum(findings: Iterable[Finding]) -> Text:
    numbers = Counter(finding.severity for finding in findings)
    dangers = counted(numbers[Severity.DANGER], "danger")
    style = _STYLE[Severity.DANGER] if numbers[Severity.DANGER] else _STYLE[Severity.OK]
    return Text.assemble((dangers, style), f", {numbers[Severity.ADVICE]} of advice, {numbers[Severity.OK]} well")
