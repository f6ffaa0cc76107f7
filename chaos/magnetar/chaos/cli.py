"""What chaos adds to the command line; what a command needs is imported when it runs, so that others start fast."""

from __future__ import annotations

import sys
from typing import Annotated

import msgspec
import typer

UNABLE = 1
"""Exit status when no cluster can be made on this machine."""

app = typer.Typer()
chaos = typer.Typer(no_args_is_help=True, help="Harm a real cluster on purpose, and see what it does.")
app.add_typer(chaos, name="chaos")


@chaos.callback()
def group() -> None:
    """Harm a real cluster on purpose, and see what it does."""


@chaos.command()
def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False) -> None:
    """Try every primitive of chaos on this machine, and say what can run here, and why not.

    Each is tried for real, in namespaces of its own for network, mounts and processes: a link is cut, a process
    frozen, a disk filled, the power of a file system lost. Nothing outside is touched, and nothing is left behind.

    Exit status 0: a cluster for chaos can be made here, though perhaps not every fault. 1: none can.

    Examples:  magnetar chaos doctor    magnetar chaos doctor --json
    """
    from rich.console import Console  # noqa: PLC0415 - see the module

    from magnetar.chaos.doctor.asking import examine  # noqa: PLC0415
    from magnetar.chaos.doctor.findings import can_run  # noqa: PLC0415
    from magnetar.chaos.doctor.telling import summary, table  # noqa: PLC0415

    found = examine()
    if as_json:
        said = {"can_run": can_run(found), "primitives": found}
        sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
    else:
        console = Console()
        console.print(table(found))
        console.print(summary(found), highlight=False, markup=False)
    if not can_run(found):
        raise typer.Exit(UNABLE)
