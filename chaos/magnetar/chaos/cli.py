"""What chaos adds to the command line; what a command needs is imported when it runs, so that others start fast."""

from __future__ import annotations

import sys
from pathlib import Path
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


@chaos.command()
def report(
    folder: Annotated[Path, typer.Argument(help="The folder of a run, or a folder of such folders.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Draw what a run left behind: a page to look at, and the same as JSON and as JUnit XML.

    In the folder of a run: report.html, summary.json and junit.xml. In a folder of runs: these for each, and
    index.html with the last run of every scenario beside the one before it, the longest stand-still first.

    Exit status 0: written. 1: no run is there, or one of them cannot be read; the others are written all the same.

    Examples:  magnetar chaos report build/chaos/S03-1    magnetar chaos report build/chaos
    """
    from magnetar.chaos.record.keeping import RecordDamaged  # noqa: PLC0415 - see the module
    from magnetar.chaos.report.leaving import Left, NoRun  # noqa: PLC0415
    from magnetar.chaos.report.leaving import report as leave  # noqa: PLC0415

    try:
        left = leave(folder)
    except (NoRun, RecordDamaged, OSError) as problem:
        left = Left([], [str(problem)])
    if as_json:
        said = {"written": [*map(str, left.written)], "damaged": left.damaged}
        sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
    else:
        typer.echo("\n".join(map(str, left.written)))
        for each in left.damaged:
            typer.echo(f"error: {each}", err=True)
    if left.damaged:
        raise typer.Exit(UNABLE)
