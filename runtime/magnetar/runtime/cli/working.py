"""`magnetar worker`: a process that owns shards and does the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from magnetar.runtime.cli import logs, screen
from magnetar.runtime.cli.apps import wiring_of
from magnetar.runtime.cli.options import Bus, Store, Target, reaching_broker, settings, shared_bus, shared_store
from magnetar.runtime.compose import RunningWorker, run_until_signal

if TYPE_CHECKING:
    from magnetar.runtime.wiring import Wiring


def worker(
    target: Target,
    bus: Bus = None,
    store: Store = None,
    drain: Annotated[
        float | None,
        typer.Option(
            min=0.1, metavar="SECONDS", help="Longest time for letting go in order; else $MAGNETAR_DRAIN, or 10."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Log as JSON, one object a line, on stderr.")] = False,
) -> None:
    """Run a worker of the app until Ctrl-C or SIGTERM.

    It takes the shards that nobody owns, and works on them. When it is told to stop it drains: it stops receiving,
    commits and acknowledges what it has in hand, sends what it has decided, and releases its shards; exit status 0.
    A second signal ends it at once, which loses nothing either: what was not committed comes again.
    A handler that raises stops the worker with exit status 1, and nothing of that message is committed.

        $ magnetar topics apply shop:app && magnetar worker shop:app --store sqlite:///shop.db
        $ MAGNETAR_BUS=pulsar://broker:6650 magnetar worker shop:app --json
    """
    found = settings()
    wiring = wiring_of(target)
    logs.configure(as_json=as_json)
    place = shared_bus(bus, wiring.app, silent=as_json)
    with reaching_broker():
        running = RunningWorker(
            wiring, place, shared_store(store), observer=logs.Telling(), handler_deadline=found.handler_deadline
        )
    if not as_json:
        screen.tell(_greeting(wiring, bus or found.bus, store or found.store))
    raise typer.Exit(run_until_signal(running, drain=drain or found.drain))


def _greeting(wiring: Wiring, bus: str, store: str) -> str:
    return f"{wiring.app}: {', '.join(wiring.actors)} on {bus} with {store}; Ctrl-C drains and stops"
