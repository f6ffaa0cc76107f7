"""`magnetar worker`: a process that owns shards and does the work."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from magnetar.runtime.cli import logs, screen
from magnetar.runtime.cli.apps import wiring_of
from magnetar.runtime.cli.exits import BadInput
from magnetar.runtime.cli.options import Bus, Store, Target, reaching_broker, settings, shared_bus, shared_store
from magnetar.runtime.compose import Address, Listening, RunningWorker, run_until_signal
from magnetar.runtime.worker.observer import Observers

if TYPE_CHECKING:
    from collections.abc import Generator

    from magnetar.runtime.wiring import Wiring

_log = logging.getLogger("magnetar.worker")


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
LogAsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Log as JSON, one object a line, on stderr.")]


def worker(
    target: Target,
    bus: Bus = None,
    store: Store = None,
    drain: Drain = None,
    listen: Listen = None,
    as_json: LogAsJson = False,
) -> None:
    """Run a worker of the app until Ctrl-C or SIGTERM.

    It takes the shards that nobody owns, and works on them. When it is told to stop it drains: it stops receiving,
    commits and acknowledges what it has in hand, sends what it has decided, and releases its shards; exit status 0.
    A second signal ends it at once, which loses nothing either: what was not committed comes again.
    A handler that raises stops the worker with exit status 1, and nothing of that message is committed.

        $ magnetar topics apply shop:app && magnetar worker shop:app --store sqlite:///shop.db
        $ MAGNETAR_BUS=pulsar://broker:6650 magnetar worker shop:app --json --listen 0.0.0.0:9464
    """
    found = settings()
    at = _address(listen or found.listen)
    wiring = wiring_of(target)
    logs.configure(as_json=as_json)
    place, kept = shared_bus(bus, wiring.app, silent=as_json), shared_store(store)
    with _listening(wiring, at) as listening:
        observer = logs.Telling() if listening is None else Observers(logs.Telling(), listening.observer)
        with reaching_broker():
            running = RunningWorker(wiring, place, kept, observer=observer, handler_deadline=found.handler_deadline)
        if listening is not None:
            listening.watch(running)
        if not as_json:
            screen.tell(_greeting(wiring, bus or found.bus, store or found.store))
        raise typer.Exit(run_until_signal(running, drain=drain or found.drain))


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


def _greeting(wiring: Wiring, bus: str, store: str) -> str:
    return f"{wiring.app}: {', '.join(wiring.actors)} on {bus} with {store}; Ctrl-C drains and stops"
