"""Who had what, and when: owners of shards, brokers of topics, the ZooKeeper that led."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from magnetar.chaos.report.clock import WIDE
from magnetar.chaos.report.figures import counted, moment, seconds
from magnetar.chaos.report.markup import clean, said, tag
from magnetar.chaos.report.plot import COLOURS, Plot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from magnetar.chaos.record.shape import Tenure
    from magnetar.chaos.report.clock import Clock

LANE = 20.0
"""Units from one lane to the next."""
MOST = 24
"""So many lanes of a kind are drawn, those that changed hands most first chosen."""
BARS = 100
"""So many bars of a lane are drawn, the longest."""
_KINDS = 6
_BAR = 14.0
_TITLES = {
    "shard": ("owners", "Owners of shards"),
    "topic": ("brokers", "Brokers of topics"),
    "zookeeper": ("leader", "Leader of ZooKeeper"),
}
_NOTE = "A bar is who had it; where it is open, nobody did."


def natural(text: str) -> list[tuple[int, str]]:
    """An order in which 10 comes after 9."""
    return [
        (int(part), "") if part.isdigit() and part.isascii() else (-1, part)
        for part in re.split(r"([0-9]{1,18})", text)
    ]


def plots(tenures: Sequence[Tenure], clock: Clock) -> list[Plot]:
    """Plot 7: a plot for each kind of thing that has an owner."""
    kinds: dict[str, dict[str, list[Tenure]]] = {}
    for tenure in tenures:
        kind, _, what = tenure.what.partition(" ")
        kinds.setdefault(kind, {}).setdefault(what or kind, []).append(tenure)
    order = sorted(
        kinds, key=lambda kind: (kind not in _TITLES, list(_TITLES).index(kind) if kind in _TITLES else 0, kind)
    )
    return [_plot(place, kind, kinds[kind], clock) for place, kind in enumerate(order[:_KINDS])]


def _plot(place: int, kind: str, lanes: Mapping[str, list[Tenure]], clock: Clock) -> Plot:
    chosen = sorted(sorted(lanes, key=lambda what: (-len(lanes[what]), natural(what)))[:MOST], key=natural)
    owners = sorted({tenure.owner for some in lanes.values() for tenure in some}, key=natural)
    colours = {owner: number % COLOURS for number, owner in enumerate(owners)}
    name, title = _TITLES.get(kind, (f"lanes-{place}", kind))
    tall = LANE * len(chosen)
    marks, over = list[str](), list[str]()
    for row, what in enumerate(chosen):
        top = row * LANE + (LANE - _BAR) / 2
        for tenure in sorted(sorted(lanes[what], key=_lasted, reverse=True)[:BARS], key=lambda tenure: tenure.begin):
            marks.append(_bar(tenure, top, colours[tenure.owner], clock))
            over.append(_owner(tenure, row, tall, clock))
    left_out = len(lanes) - len(chosen)
    note = _NOTE + (f" {counted(left_out, 'lane')} with fewer changes not drawn." if left_out else "")
    if any(len(lanes[what]) > BARS for what in chosen):
        note += f" Of each lane the {BARS} longest bars are drawn."
    legend = [(f"cell series-{colours[owner]}", owner) for owner in owners[:COLOURS]]
    return Plot(name, title, _words(lanes), note, "".join(marks), None, legend, "".join(over), side(chosen), tall)


def _lasted(tenure: Tenure) -> float:
    return float("inf") if tenure.end is None else tenure.end - tenure.begin


def side(names: Sequence[str]) -> str:
    """The names of lanes, at their heights."""
    shown = (
        tag(
            "span",
            said(name.replace("-partition-", "/"), 60),
            style=f"top:{(row + 0.5) / len(names) * 100:.2f}%",
            title=clean(name, 160),
        )
        for row, name in enumerate(names)
    )
    return tag("div", *shown, class_="side lanes", aria_hidden="true")


def _bar(tenure: Tenure, top: float, colour: int, clock: Clock) -> str:
    left, right = clock.x(tenure.begin), clock.x(clock.end if tenure.end is None else tenure.end)
    if right <= left:
        return ""
    until = "the end" if tenure.end is None else moment(tenure.end)
    told = tag("title", f"{said(tenure.owner, 80)}, from {moment(tenure.begin)} to {until}")
    where = f'x="{left:.1f}" y="{top:g}" width="{right - left:.1f}" height="{_BAR:g}"'
    return f'<rect class="tenure series-{colour}" {where}>{told}</rect>'


def _owner(tenure: Tenure, row: int, tall: float, clock: Clock) -> str:
    left, right = clock.x(tenure.begin), clock.x(clock.end if tenure.end is None else tenure.end)
    if right - left < WIDE / 40:
        return ""
    where = f"left:{left / WIDE * 100:.2f}%;width:{(right - left) / WIDE * 100:.2f}%;top:{row * LANE / tall * 100:.2f}%"
    return tag("span", said(tenure.owner, 60), class_="owner", style=where)


def holes(some: Sequence[Tenure]) -> Iterator[float]:
    """Seconds in which nobody had it, between two who did."""
    ordered = sorted(some, key=lambda tenure: tenure.begin)
    for before, after in pairwise(ordered):
        if before.end is not None and after.begin > before.end:
            yield after.begin - before.end


def _words(lanes: Mapping[str, list[Tenure]]) -> str:
    changes = sum(len(some) - 1 for some in lanes.values())
    longest = max((hole for some in lanes.values() for hole in holes(some)), default=0.0)
    told = f"{counted(len(lanes), 'lane')}, {counted(changes, 'change')} of hands"
    return f"{told}; at most {seconds(longest)} without an owner." if longest else f"{told}."
