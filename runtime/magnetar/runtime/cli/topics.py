"""`magnetar topics …`: what an app needs on a Pulsar cluster, and what is there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from magnetar.runtime.cli import screen
from magnetar.runtime.cli.apps import wiring_of
from magnetar.runtime.cli.exits import BadInput, Exit
from magnetar.runtime.cli.options import Admin, AsJson, Target, reaching_broker, settings
from magnetar.runtime.cli.wording import counted

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from rich.console import RenderableType

    from magnetar.runtime.compose.topics import Cluster, Row

app = typer.Typer(no_args_is_help=True, help="Namespaces, topics, subscriptions and schemas on a Pulsar cluster.")


@app.command("plan")
def plan(target: Target, admin: Admin = None, as_json: AsJson = False) -> None:
    """Show what is missing on the cluster for the app, and what is there but different; changes nothing.

    Nothing is ever removed or shrunk. Exit status 1: there is a conflict, which only a person can decide.

        $ magnetar topics plan shop:app --admin http://localhost:8080
    """
    with _cluster(target, admin) as cluster:
        rows = cluster.plan()
    _tell(rows, as_json=as_json)
    if any(row.conflict for row in rows):
        raise typer.Exit(Exit.NO)


@app.command("apply")
def apply(target: Target, admin: Admin = None, as_json: AsJson = False) -> None:
    """Make the cluster as the app needs it: whatever `plan` shows, in that order.

    It may be repeated at any time: what is done already is not done again.
    With a conflict nothing is done at all; exit status 1.

        $ magnetar topics apply shop:app
    """
    with _cluster(target, admin) as cluster:
        rows = cluster.apply()
    _tell(rows, as_json=as_json)
    if any(row.conflict for row in rows):
        screen.tell("nothing was applied: the conflicts need a decision first")
        raise typer.Exit(Exit.NO)
    screen.tell(f"{counted(len(rows), 'step')} done")


def picture(rows: Sequence[Row], width: int) -> RenderableType:
    """The steps: a table where there is room for one, else one block after the other. Pure."""
    if not rows:
        return Text("nothing to do: all is as wanted")
    return _table(rows) if width >= screen.NARROW else _blocks(rows)


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("action", "target", "have", "want"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(row.action, row.target, row.have, row.want, style="bold red" if row.conflict else None)
    return table


def _blocks(rows: Sequence[Row]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(row.action, Text(row.target, style="bold red" if row.conflict else ""))
        for name, value in (("have", row.have), ("want", row.want)):
            if value:
                grid.add_row(f"  {name}", value)
    return grid


def _tell(rows: Sequence[Row], *, as_json: bool) -> None:
    if as_json:
        screen.answer({"steps": [msgspec.to_builtins(row) for row in rows]})
    else:
        screen.show(picture(rows, screen.width()))


@contextmanager
def _cluster(target: str, admin: str | None) -> Generator[Cluster]:
    try:
        from magnetar.runtime.compose.topics import Cluster  # noqa: PLC0415 - needs an extra that other commands do not
    except ModuleNotFoundError as error:
        if error.name != "httpx2":
            raise
        raise BadInput("the REST API needs httpx2: install magnetar[admin]") from error
    found = settings()
    with reaching_broker(), Cluster(admin or found.admin, wiring_of(target), found.access()) as cluster:
        yield cluster
