"""Bug by catcher, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from magnetar.chaos.zoo.cluster.judging import Catch

_HEADINGS = ("bug", "rules", "scenario", "caught by", "also", "seconds", "record")


def table(catches: Iterable[Catch], out: Path) -> Table:
    """A row each."""
    made = Table(box=None, pad_edge=False)
    for heading in _HEADINGS:
        made.add_column(heading, justify="right" if heading == "seconds" else "left")
    for catch in catches:
        bug = catch.bug
        also = [each for each in catch.catchers if each != bug.caught_by]
        made.add_row(
            *(bug.name, ", ".join(bug.rules), bug.play),
            *("[bold red]✗ not as it must be[/]" if catch.problem else bug.caught_by, ", ".join(also)),
            *(f"{catch.seconds:.0f}", "" if catch.record is None else str(out / catch.record.id)),
        )
    return made


def as_data(catch: Catch) -> Mapping[str, object]:
    """The same as a line of JSON has it."""
    return {
        "bug": catch.bug.name,
        "rules": catch.bug.rules,
        "scenario": catch.bug.play,
        "wanted": catch.bug.caught_by,
        "catchers": catch.catchers,
        "problem": catch.problem,
        "seconds": round(catch.seconds, 1),
        "record": "" if catch.record is None else catch.record.id,
    }
