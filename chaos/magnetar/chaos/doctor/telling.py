"""The doctor's table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from magnetar.chaos.doctor.findings import can_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.doctor.findings import Finding


def table(findings: Sequence[Finding]) -> Table:
    """A row each, as it was tried: a ring is a fault that cannot be made, a cross that nothing can."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", "primitive", "needed for", "seen, or why not"):
        made.add_column(title, overflow="fold")
    for finding in findings:
        mark = "[green]✔[/]" if finding.works else "[red]✘[/]" if finding.vital else "[yellow]○[/]"
        made.add_row(mark, finding.name, f"[dim]{finding.needed_for}[/]", escape(finding.seen))
    return made


def summary(findings: Sequence[Finding]) -> str:
    """One line: what can run here."""
    lacking = [finding for finding in findings if not finding.works]
    if not can_run(findings):
        vital = ", ".join(finding.name for finding in lacking if finding.vital)
        return f"no cluster for chaos can be made here: {vital} missing"
    without = ", ".join(finding.name for finding in lacking)
    return f"a cluster can be made here, without {without}" if lacking else "every fault can be made here"
