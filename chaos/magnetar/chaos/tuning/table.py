"""How long things took, without our settings and with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table

from magnetar.chaos.playing.leading import lead
from magnetar.chaos.tuning.inside import MODULE
from magnetar.chaos.tuning.untuned import BUG

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from magnetar.chaos.record.shape import Record

SCENARIOS = ("S11", "S11b", "S15")
"""Where a client that is left to itself notices nothing for long."""


class Pair(NamedTuple):
    """One scenario, played both ways; None for what was not."""

    id: str
    title: str
    before: Record | None
    after: Record | None


def played(names: Sequence[str], seed: int, out: Path) -> list[Pair]:
    """Without first. Raises what `lead` raises, and `TargetGone` if something that is left out is not there."""
    BUG.require_targets()
    before = list(lead(names, seed, out / "before", MODULE))
    return pairs(before, lead(names, seed, out / "after"))


def pairs(before: Iterable[Record], after: Iterable[Record]) -> list[Pair]:
    """By scenario, in the order in which they were played; the last of each."""
    one, other = ({each.scenario.id: each for each in some} for some in (before, after))
    titles = {name: record.scenario.title for name, record in (one | other).items()}
    return [Pair(name, title, one.get(name), other.get(name)) for name, title in titles.items()]


def table(some: Iterable[Pair]) -> Table:
    """A row each: the longest gap, and how long it took to be as before."""
    made = Table(box=None, pad_edge=False)
    for heading in ("id", "what", "gap before", "now", "recovery before", "now", "verdict now"):
        made.add_column(heading, justify="left" if heading in {"id", "what", "verdict now"} else "right")
    for pair in some:
        gaps = (_seconds(gap(pair.before)), _seconds(gap(pair.after)))
        recoveries = (_seconds(recovery(pair.before)), _seconds(recovery(pair.after)))
        made.add_row(pair.id, pair.title, *gaps, *recoveries, "" if pair.after is None else pair.after.verdict.value)
    return made


def gap(record: Record | None) -> float | None:
    """The longest of all groups of keys."""
    return record.measures.gaps[0].seconds if record is not None and record.measures.gaps else None


def recovery(record: Record | None) -> float | None:
    """None if it was not seen to be as before."""
    return None if record is None else record.measures.recovery


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
