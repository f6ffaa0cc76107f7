"""`magnetar up`, `down` and `status`: a real Pulsar on this machine."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from magnetar.runtime.cli import screen
from magnetar.runtime.cli.exits import Exit
from magnetar.runtime.cli.options import AsJson  # noqa: TC001 - typer reads annotations when it runs
from magnetar.runtime.compose import machine
from magnetar.runtime.servers import PulsarPlan
from magnetar.runtime.servers.distribution import pinned_pulsar
from magnetar.runtime.servers.installation import install
from magnetar.runtime.servers.java import find_java
from magnetar.runtime.servers.kept import Wanted, bring_down, bring_up, look
from magnetar.runtime.servers.maven import fetch_from_file, fetch_from_maven
from magnetar.runtime.servers.record import Layout

if TYPE_CHECKING:
    from collections.abc import Generator

    from magnetar.runtime.servers.record import Running

app = typer.Typer(no_args_is_help=True, help="A real Pulsar on this machine: no Docker, no installed Java.")

Data: TypeAlias = Annotated[
    Path | None, typer.Option(help="Directory of the server's data and logs; kept from one start to the next.")
]
Port: TypeAlias = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port for clients; 6650 or any free one if not given.")
]
WebPort: TypeAlias = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port of the REST API; 8080 or any free one if not given.")
]
Archive: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="The distribution as a file, for machines without a network; it is checked the same."),
]


@app.command()
def up(
    data: Data = None, port: Port = None, web_port: WebPort = None, archive: Archive = None, as_json: AsJson = False
) -> None:
    """Start a Pulsar, wait until it is ready, and print where it is.

    The first time it is fetched into the cache: 245 MB, checked against a pinned SHA-512. A start takes the ports of
    the last one, else 6650 and 8080, else any free ones. The server runs until `magnetar down`; one of the same data
    that already runs is left as it is and printed. Exit status 3: it could not be started, the message says why.
    """
    began = time.monotonic()
    where = data or _default_data()

    def plan() -> PulsarPlan:
        java = find_java(machine.java_home())
        distribution = pinned_pulsar()
        fetch = fetch_from_file(archive) if archive else fetch_from_maven
        with _bar() as progress:
            home = install(distribution, machine.places().cache, fetch, progress)
        return PulsarPlan(
            home=home,
            java=java,
            data=where,
            version=distribution.version,
            broker_port=port,
            web_port=web_port,
            usual_ports=True,
            tied=False,
        )

    found, started = bring_up(where, Wanted(port, web_port), plan)
    _tell(found, "started" if started else "running", where, as_json=as_json, seconds=time.monotonic() - began)


@app.command()
def down(data: Data = None, as_json: AsJson = False) -> None:
    """Stop the Pulsar that `magnetar up` started, and nothing else; its data stays."""
    where = data or _default_data()
    found = bring_down(where)
    _tell(found, "not running" if found is None else "stopped", where, as_json=as_json)


@app.command()
def status(data: Data = None, as_json: AsJson = False) -> None:
    """Say whether the Pulsar runs and answers.

    Exit status 0: it does; 1: it does not run; 3: it runs and does not answer.
    """
    where = data or _default_data()
    seen = look(where)
    if seen is None:
        _tell(None, "not running", where, as_json=as_json)
        raise typer.Exit(Exit.NO)
    found, problem = seen
    _tell(found, "not answering" if problem else "running", where, as_json=as_json)
    if problem:
        screen.tell(problem)
        raise typer.Exit(Exit.UNAVAILABLE)


def _default_data() -> Path:
    return machine.places().data / "pulsar"


def _tell(found: Running | None, state: str, data: Path, *, as_json: bool, seconds: float | None = None) -> None:
    facts: dict[str, str | int | float] = {"server": "pulsar", "state": state}
    if found is not None:
        facts |= {"version": found.address.version, "pid": found.process.pid}
        facts |= {"service_url": found.address.service_url, "admin_url": found.address.admin_url}
    facts |= {"data": str(data.absolute()), "log": str(Layout(data.absolute()).log)}
    if seconds is not None:
        facts["seconds"] = round(seconds, 1)
    if as_json:
        screen.answer(facts)
        return
    for name, fact in facts.items():
        typer.echo(f"{name.replace('_', ' '):<12} {fact}")


@contextmanager
def _bar() -> Generator[_Bar]:
    columns = (TextColumn("{task.description:<12}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield _Bar(progress)


class _Bar:
    """One line for each step, in the terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._step = ""
        self._task = progress.add_task("", total=None)

    def __call__(self, step: str, done: int, total: int) -> None:
        if step != self._step:
            self._progress.remove_task(self._task)
            self._step, self._task = step, self._progress.add_task(step, total=total or None)
        self._progress.update(self._task, completed=done)
