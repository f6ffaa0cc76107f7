"""`magnetar provider`: the emulator as a process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from magnetar.actors.providing.emulator.bank import Bank
from magnetar.actors.providing.emulator.conduct import Behaving
from magnetar.actors.providing.emulator.desk import Desk
from magnetar.actors.providing.emulator.log import Log, LogDamaged, LogInUse
from magnetar.actors.providing.emulator.serving import EmulatorServer

if TYPE_CHECKING:
    from types import FrameType

UNAVAILABLE = 3
LOG: Final = Path("provider.jsonl")


def provider(
    log: Annotated[
        Path, typer.Option(metavar="FILE", help="What was done, a line of JSON each; made if it is not there.")
    ] = LOG,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where it listens; 0: any free port.")] = 8686,
    host: Annotated[str, typer.Option(help="The address it listens on.")] = "127.0.0.1",
) -> None:
    """Run a payment provider that takes no real money, and behaves as badly as it is told to.

    It charges, refunds, cancels and looks up, each once for its idempotency key, and writes what it did to a log before
    it answers: SIGKILL it at any time, start it again with the same log, and it knows everything that it has said. How
    it behaves (slow, silent, failing, lying, answering twice) is set at /control while it runs.

    Who asks must show the token in $MAGNETAR_PROVIDER_TOKEN; where there is none, nobody is asked for one. It prints
    `ready URL` once it listens, and ends on Ctrl-C or SIGTERM.

    Examples:  magnetar provider    magnetar provider --port 0 --log /tmp/money.jsonl
    """
    try:
        kept = Log(log)
        desk = Desk(Bank(kept, kept.entries), Behaving(), os.environ.get("MAGNETAR_PROVIDER_TOKEN"))
        server = EmulatorServer((host, port), desk)
    except (LogInUse, LogDamaged, OSError) as error:
        sys.stderr.write(f"magnetar provider: {error}\n")
        raise typer.Exit(UNAVAILABLE) from error
    _serve(server, desk)
    kept.close()


def _serve(server: EmulatorServer, desk: Desk) -> None:
    """Until a signal comes."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal calls it
        desk.closing.set()
        threading.Thread(target=server.shutdown).start()  # not here: it waits for the loop that we have interrupted

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    sys.stdout.write(f"ready {server.url}\n")
    sys.stdout.flush()
    with server:
        server.serve_forever(poll_interval=0.1)
