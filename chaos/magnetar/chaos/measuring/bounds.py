"""What a scenario asks for, beside what was seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.measuring import figures
from magnetar.chaos.measuring.tenures import owned
from magnetar.chaos.record import shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from magnetar.chaos.record.shape import Blow, BoundName, Measures, Point, Tenure
    from magnetar.chaos.scenarios import spec


def bounds(wanted: Mapping[BoundName, spec.Bound], measures: Measures) -> list[shape.Bound]:
    """Each that the scenario has."""
    seen: Mapping[BoundName, float | None] = {
        "gap": measures.gaps[0].seconds if measures.gaps else None,
        "failover": measures.failover,
        "recovery": measures.recovery,
        "drain": measures.drain,
    }
    return [shape.Bound(name, bound.seconds, seen[name], bound.why) for name, bound in wanted.items()]


def needs(wanted: Iterable[spec.Need], counts: Mapping[str, int]) -> list[shape.Need]:
    """Each that the scenario has."""
    return [shape.Need(need.what, need.least, counts.get(need.what, 0)) for need in wanted]


def failover(points: Sequence[Point], blows: Iterable[Blow], owners: Sequence[Tenure]) -> float | None:
    """The longest of the blows that the cluster is made to bear; None if there was none, or one was not borne."""
    found = [
        figures.failover(points, affected(blow, points, owners), blow.effective, blow.heal)
        for blow in blows
        if blow.inside_budget and blow.required and blow.effective is not None and blow.heal is not None
    ]
    if not found or any(each is None for each in found):
        return None
    return max(each for each in found if each is not None)


def affected(blow: Blow, points: Iterable[Point], owners: Sequence[Tenure]) -> frozenset[str]:
    """The groups of keys that whoever was struck had then; all where they had none, as a bookie."""
    had = [what for name in _struck(blow) for what in owned(owners, name, blow.inject)]
    groups = {group for what in had if (group := _group(what))}
    return frozenset(groups or {point.group for point in points})


def _struck(blow: Blow) -> list[str]:
    """Of a cut, its one side comes first, and the others lose nothing but it."""
    return [name.strip() for name in blow.target.partition(" (")[0].split(",")]


def _group(what: str) -> str:
    """`shard orders/3` and `topic orders-partition-3` are of `orders/3`."""
    kind, _, name = what.partition(" ")
    return name.replace("-partition-", "/") if kind in {"shard", "topic"} else ""
