"""`magnetar worker`: a process that owns shards and does the work."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from magnetar.runtime.cli import logs, screen
from magnetar.runtime.cli.apps import wiring_of
from magnetar.runtime.cli.exits import BadInput, Exit
from magnetar.runtime.cli.options import (
    Admin,
    Bus,
    Store,
    Target,
    reaching_broker,
    settings,
    shared_bus,
    shared_store,
)
from magnetar.runtime.compose.listening import Listening
from magnetar.runtime.compose.places import store_upkeep, without_secret
from magnetar.runtime.compose.process import run_until_signal, supervise_until_signal
from magnetar.runtime.compose.reaching import made_once_reached
from magnetar.runtime.compose.running import RunningWorker, default_owner
from magnetar.runtime.compose.trimming import Trimming
from magnetar.runtime.telemetry.address import Address
from magnetar.runtime.threads.processes import Lifeline
from magnetar.runtime.worker.observer import Observers

if TYPE_CHECKING:
    from collections.abc import Generator

    from magnetar.runtime.wiring import Wiring

_log = logging.getLogger("magnetar.worker")

MOST_PROCESSES = 256
"""More than any machine has cores for."""


Drain: TypeAlias = Annotated[
    float | None,
    typer.Option(min=0.1, metavar="SECONDS", help="Longest time for letting go in order; else $MAGNETAR_DRAIN, or 10."),
]
Listen: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Serve /metrics, /healthz and /readyz there, port 0: any free one; else $MAGNETAR_LISTEN, or nowhere.",
    ),
]
Processes: TypeAlias = Annotated[
    int, typer.Option(min=1, max=MOST_PROCESSES, metavar="N", help="Keep so many worker processes running.")
]
Place: TypeAlias = Annotated[
    int | None, typer.Option("--as-process", hidden=True, help="The number of this process under its supervisor.")
]
LogAsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Log as JSON, one object a line, on stderr.")]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line asks for, with what the environment says instead."""

    target: str
    bus: str
    admin: str | None
    store: str
    drain: float
    handler_deadline: float
    listen: Address | None
    journal_days: float | None
    as_json: bool
    edits: bool
    places: tuple[str, ...]  # options of broker and store as they were given: what the environment says may be secret


def worker(  # noqa: PLR0913, PLR0917 - the options of the command
    target: Target,
    bus: Bus = None,
    admin: Admin = None,
    store: Store = None,
    drain: Drain = None,
    listen: Listen = None,
    processes: Processes = 1,
    as_process: Place = None,
    as_json: LogAsJson = False,
) -> None:
    """Run a worker of the app until Ctrl-C or SIGTERM.

    It waits until broker and database answer, takes the shards that nobody owns, and works on them. When it is told to
    stop it drains: it stops receiving, commits and acknowledges what it has in hand, sends what it has decided, and
    releases its shards; exit status 0.
    A second signal ends it at once, which loses nothing either: what was not committed comes again.
    A handler that raises does not stop it: its message is tried again, and in the end kept as a dead letter.

    With --processes 4 it keeps four of them running, one for each core, on a store that several may use: one that dies
    is started again, and all drain together. Process I listens I ports further than --listen says.

        $ magnetar topics apply shop:app && magnetar worker shop:app --store sqlite:///shop.db
        $ magnetar worker shop:app --bus pulsar://broker:6650 --admin http://broker:8080 --json --listen 0.0.0.0:9464
    """
    found = settings()
    asked = _Asked(
        target=target,
        bus=bus or found.bus,
        admin=admin,
        store=store or found.store,
        drain=drain or found.drain,
        handler_deadline=found.handler_deadline,
        listen=_address(listen or found.listen),
        journal_days=found.journal_days,
        as_json=as_json,
        edits=found.edits,
        places=_given(("--bus", bus), ("--admin", admin), ("--store", store)),
    )
    raise typer.Exit(_one(asked, as_process) if processes == 1 else _several(asked, processes))


def _one(asked: _Asked, number: int | None) -> int:
    """The worker itself. `number`: which one of its supervisor's."""
    wiring = wiring_of(asked.target)
    logs.configure(as_json=asked.as_json, process=number)
    if number is not None:
        Lifeline()
    place, kept = shared_bus(asked.bus, wiring.app, asked.admin, silent=asked.as_json), shared_store(asked.store)
    with _listening(wiring, asked.listen) as listening:
        observer = logs.Telling() if listening is None else Observers(logs.Telling(), listening.observer)

        def made() -> RunningWorker:
            with nullcontext() if asked.as_json else reaching_broker():
                return RunningWorker(
                    wiring, place, kept,
                    owner=default_owner(number), observer=observer, handler_deadline=asked.handler_deadline,
                    edits=asked.edits,
                )  # fmt: skip

        running = made_once_reached(made, shared=kept.shared)
        if listening is not None:
            listening.watch(running)
        if number is None and not asked.as_json:
            what = f"{wiring.app}: {', '.join(wiring.actors)}"
            screen.tell(f"{what} on {asked.bus} with {without_secret(asked.store)}; Ctrl-C drains and stops")
        with _trimming(asked, shared=kept.shared):
            return run_until_signal(running, drain=asked.drain)


def _several(asked: _Asked, count: int) -> int:
    """The supervisor of `count` workers. It never imports the app: what is wrong with that, each worker tells."""
    if asked.store.startswith("sqlite:"):
        raise BadInput(
            f"one process uses a SQLite store, and {count} are asked for: leave --processes out, or name a store "
            "that several may use"
        )
    last = None if asked.listen is None else _address_after(asked.listen, count - 1)
    logs.configure(as_json=asked.as_json)
    if not asked.as_json:
        where = "" if last is None else f", metrics and health at {asked.listen} to {last.port}"
        screen.tell(f"{count} processes of {asked.target}{where}; Ctrl-C drains and stops them")
    return supervise_until_signal(partial(_command, asked), count, bad_input=int(Exit.USAGE), drain=asked.drain)


def _given(*options: tuple[str, str | None]) -> tuple[str, ...]:
    """Those that have a value, as words of a command."""
    return tuple(word for name, value in options if value for word in (name, value))


def _command(asked: _Asked, number: int) -> list[str]:
    """The same command for one process; it has the same environment."""
    options = [*asked.places, "--drain", str(asked.drain), "--as-process", str(number)]
    if asked.listen is not None:
        options += ["--listen", str(asked.listen.next(number))]
    if asked.as_json:
        options.append("--json")
    return [sys.executable, "-m", "magnetar.runtime.cli", "worker", asked.target, *options]


@contextmanager
def _trimming(asked: _Asked, *, shared: bool) -> Generator[None]:
    """The journal's upkeep, where it is wanted and the store is one that needs it."""
    if asked.journal_days is None or not shared:
        yield
        return
    trimming = Trimming(partial(store_upkeep, asked.store), asked.journal_days)
    try:
        yield
    finally:
        trimming.close()


@contextmanager
def _listening(wiring: Wiring, at: Address | None) -> Generator[Listening | None]:
    """Metrics and health, where they are wanted; the port that was free is told."""
    if at is None:
        yield None
        return
    listening = Listening(wiring, at)
    _log.info("metrics and health at http://%s", listening.address)
    try:
        yield listening
    finally:
        listening.close()


def _address(text: str | None) -> Address | None:
    try:
        return Address.parse(text) if text else None
    except ValueError as error:
        raise BadInput(str(error)) from error


def _address_after(first: Address, steps: int) -> Address:
    try:
        return first.next(steps)
    except ValueError as error:
        raise BadInput(str(error)) from error
