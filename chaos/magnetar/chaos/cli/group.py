"""The group of commands, and what several of them share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

UNABLE = 1
"""Exit status when no cluster can be made on this machine, or something asked for was not shown."""
OUT = Path("build/chaos")
"""Where records are kept, a folder each."""
WIDTH = 140
"""Characters of a line where nobody's terminal says how many there are."""

Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where records are kept, a folder each.")]
Json = Annotated[bool, typer.Option("--json", help="A line of JSON for each.")]

app = typer.Typer()
chaos = typer.Typer(no_args_is_help=True, help="Harm a real cluster on purpose, and see what it does.")
app.add_typer(chaos, name="chaos")


@chaos.callback()
def group() -> None:
    """Harm a real cluster on purpose, and see what it does."""


def line(said: object) -> None:
    """One of JSON to the standard output."""
    sys.stdout.write(msgspec.json.encode(said).decode() + "\n")


def printed(*parts: RenderableType) -> None:
    """Tables and words to the standard output."""
    from rich.console import Console  # noqa: PLC0415 - see the module

    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    for part in parts:
        console.print(part, highlight=False)
