"""Several bugs, or the scenarios of several, one after the other: what came of it, and what is not as it must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.playing import showing
from magnetar.chaos.zoo.cluster import hunting
from magnetar.chaos.zoo.cluster.bug import all_bugs
from magnetar.chaos.zoo.cluster.judging import unsound
from magnetar.chaos.zoo.cluster.telling import as_data, table
from magnetar.runtime.errors import MagnetarError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from rich.table import Table

    from magnetar.chaos.record.shape import Record
    from magnetar.chaos.zoo.cluster.bug import ClusterBug
    from magnetar.chaos.zoo.cluster.judging import Catch


class NoSuchBug(MagnetarError):
    """A name that is none; the message has those that are."""


def chosen(names: Iterable[str]) -> list[ClusterBug]:
    """By name; all if none is named. Raises `NoSuchBug`."""
    there, wanted = all_bugs(), list(names)
    if unknown := [name for name in wanted if name not in there]:
        message = f"no such bug: {', '.join(unknown)}; there are {', '.join(there)}"
        raise NoSuchBug(message)
    return [there[name] for name in wanted or there]


def caught(
    bugs: Iterable[ClusterBug], seed: int, out: Path, say: Callable[[object], None] | None
) -> tuple[Sequence[str], Table]:
    """Play each bug. What is not as it must be, and all for a terminal; `say` is told of each when it is over."""
    catches: list[Catch] = []
    for bug in bugs:
        catches.append(hunting.hunt(bug, seed, out))
        if say is not None:
            say(as_data(catches[-1]))
    return [f"{catch.bug.name}: {catch.problem}" for catch in catches if catch.problem], table(catches, out)


def sound(
    bugs: Iterable[ClusterBug], seed: int, out: Path, say: Callable[[object], None] | None
) -> tuple[Sequence[str], Table]:
    """The same with their scenarios and the product as it is: each must be valid."""
    records: list[Record] = []
    for record in hunting.sound(bugs, seed, out):
        records.append(record)
        if say is not None:
            say(record)
    return [words for record in records if (words := unsound(record))], showing.played(records)
