"""What the demo shows in a terminal: a progress bar while it runs, then a table, then the invariants one by one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from magnetar.schemas.commerce import OrderStatus

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.console import Console

    from magnetar.actors.demo.failing.judging import Stage
    from magnetar.actors.demo.run import Progress as Step
    from magnetar.actors.demo.run import Result

SECOND = 1_000_000


class Bars:
    """Two bars: messages sent, orders that have ended. A context manager; `show` may be called often."""

    def __init__(self, console: Console) -> None:
        """Nothing is drawn before the first `show`."""
        self._progress = Progress(
            TextColumn("{task.description:<16}"),
            BarColumn(),
            MofNCompleteColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[doing]}"),
            console=console,
        )
        self._sent = self._progress.add_task("messages sent", total=None, doing="starting")
        self._ended = self._progress.add_task("orders ended", total=None, doing="")

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state on the screen."""
        self._progress.stop()

    def show(self, step: Step) -> None:
        """Draw this state."""
        self._progress.update(self._sent, total=step.of_messages, completed=step.sent, doing=step.doing)
        self._progress.update(self._ended, total=step.of_orders, completed=step.ended)


def outcomes(result: Result) -> Counter[tuple[str, str]]:
    """How many orders ended how: (status, the outcome that ended it)."""
    return Counter((order.status.value, order.ended_by.value) for order in result.facts.orders.values())


def rate(result: Result) -> float:
    """Messages applied a second, from the first commit to the last."""
    commits = result.measured.commits
    span = (commits[-1][0] - commits[0][0]) / SECOND if len(commits) > 1 else 0.0
    return sum(count for _, count in commits) / span if span else 0.0


def outcome_table(result: Result) -> Table:
    """Orders by outcome."""
    table = Table(title="orders by outcome", title_justify="left", title_style="bold")
    table.add_column("status")
    table.add_column("ended by")
    table.add_column("orders", justify="right")
    for (status, ended_by), count in outcomes(result).most_common():
        table.add_row(status.replace("_", " "), ended_by.replace("_", " "), f"{count:,}")
    return table


def figures(result: Result) -> list[tuple[str, str]]:
    """The demo's numbers, named."""
    measured, facts = result.measured, result.facts
    timers = sum(row.source == "timer" for row in facts.journal)
    return [
        ("orders", f"{len(result.plan.stories):,}"),
        ("messages sent by customers", f"{len(facts.sent):,}, and {facts.copies:,} copies"),
        ("messages applied", f"{len(facts.journal):,}, of these {timers:,} timers"),
        ("duplicates absorbed", f"{measured.duplicates:,}"),
        ("rate", f"{rate(result):,.0f} messages a second over the whole run"),
        (
            "published → committed",
            f"p50 {ms(measured.wait(0.5))}, p99 {ms(measured.wait(0.99))} (the dead time counts)",
        ),
        ("dead for", f"{(result.back_at - result.crashed_at) / SECOND:.2f} s"),
        ("took", f"{result.seconds:.1f} s"),
        *(() if result.stage is None else stage_figures(result.stage)),
    ]


def stage_figures(stage: Stage) -> list[tuple[str, str]]:
    """The stage's numbers, named."""
    return [
        ("with a failing provider", f"{len(stage.placed):,} orders in {stage.seconds:.1f} s"),
        ("parked", f"{len(stage.parked):,} orders, of these {len(stage.parked & stage.freed):,} recovered"),
        ("dead-lettered", f"{len(stage.dead):,} orders, of which only a piece was sent"),
        ("the provider's log", f"{stage.did('charged'):,} charges, {stage.did('refunded'):,} refunds"),
    ]


def stage_table(stage: Stage) -> Table:
    """What became of the orders whose provider failed."""
    table = Table(title="orders with a failing provider", title_justify="left", title_style="bold")
    rows = {
        "confirmed": stage.count(OrderStatus.CONFIRMED),
        "cancelled": stage.count(OrderStatus.CANCELLED),
        "parked on the way": len(stage.parked),
        "recovered": len(stage.parked & stage.freed),
        "dead-lettered": len(stage.dead),
    }
    table.add_column("what")
    table.add_column("orders", justify="right")
    for what, count in rows.items():
        table.add_row(what, f"{count:,}")
    return table


def ms(seconds: float) -> str:
    """Milliseconds to read."""
    return f"{seconds * 1000:,.1f} ms"


def tell(console: Console, result: Result) -> None:
    """Table, figures, and the invariants one by one."""
    console.print(outcome_table(result))
    if result.stage is not None:
        console.print(stage_table(result.stage))
    grid = Table.grid(padding=(0, 2))
    for name, value in figures(result):
        grid.add_row(Text(name, style="bold"), value)
    console.print(grid)
    console.print()
    for verdict in result.verdicts:
        mark = Text("✓ ", style="green") if verdict.holds else Text("✗ ", style="bold red")
        console.print(mark + Text(verdict.promise) + Text(f"  ({verdict.cases:,})", style="dim"))
        for witness in verdict.broken:
            console.print(Text(f"    {witness}", style="red"))
        if not verdict.cases:
            console.print(Text("    held against nothing: this proves nothing", style="red"))
