"""Where output goes: answers to stdout, everything else to stderr; with `--json` stdout holds JSON and nothing else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

NARROW = 100
"""Below so many columns a terminal gets blocks in place of tables."""


def show(picture: RenderableType) -> None:
    """Print a picture to stdout, as wide as the terminal."""
    Console(highlight=False, markup=False, emoji=False).print(picture)


def width() -> int:
    """Columns of the terminal (80 where there is none)."""
    return Console().width


def answer(value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Print one JSON document on a line of its own, at once: a reader behind a pipe may wait for it."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def tell(text: str) -> None:
    """Say something that is not the answer."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
