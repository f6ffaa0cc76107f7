"""Numbers that were looked at over the run: what waits, lag, money, stock, pressure, and whatever else there is."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.report.figures import chosen, counted, quantity, share
from magnetar.chaos.report.markup import clean
from magnetar.chaos.report.plot import COLOURS, TALL, Plot, linear

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from magnetar.chaos.record.shape import Sample
    from magnetar.chaos.report.clock import Clock
    from magnetar.chaos.report.plot import Scale

Series = list[tuple[float, float]]

PALE = 32
"""So many more lines are drawn, without a colour of their own."""
_BINS = 600
_LOWER = 120.0
_HOLE = 4
"""Whoever looked has missed so many looks: the line breaks."""


class Topic(NamedTuple):
    """A plot: samples of which first names belong to it."""

    name: str
    families: tuple[str, ...]
    title: str
    note: str
    named: Callable[[float], str]


TOPICS = (
    Topic(
        "waiting",
        ("backlog", "pending", "outbox", "parked"),
        "What waits",
        "Messages in topics, outboxes and parked, by topic.",
        quantity,
    ),
    Topic(
        "lag",
        ("lag",),
        "From published to applied",
        "How long after its message the youngest known effect came.",
        chosen,
    ),
    Topic(
        "money",
        ("money",),
        "Money that does not add up",
        "What the provider has less what payments believe it has: in doubt, or on its way. It must come back to zero.",
        quantity,
    ),
    Topic(
        "stock",
        ("stock",),
        "Stock",
        "What is on hand, by article; it must never fall below zero.",
        quantity,
    ),
    Topic(
        "ahead",
        ("timers", "effects"),
        "What is still to come",
        "Timers that are armed, and calls to the outside that have no outcome yet.",
        quantity,
    ),
    Topic("hands", ("workers", "shards"), "Workers", "Those that live, and shards that none of them owns.", quantity),
    Topic(
        "counted",
        ("metric",),
        "What workers count",
        "What workers say of themselves since each was started; no checker believes it.",
        quantity,
    ),
    Topic(
        "pressure",
        ("pressure",),
        "Waiting for a processor",
        "Share of each second in which something on this machine waited for a CPU.",
        share,
    ),
)
OTHERS = "Other numbers"


def plots(samples: Sequence[Sample], clock: Clock) -> dict[str, Plot]:
    """Plots 4, 5, 6 and 9, by name; those without a sample are left out."""
    families: dict[str, dict[str, Series]] = {}
    for sample in samples:
        family = sample.name.split("/", 1)[0]
        families.setdefault(family, {}).setdefault(sample.name, []).append((sample.at, sample.value))
    made: dict[str, Plot] = {}
    for topic in TOPICS:
        found = {name: series for family in topic.families for name, series in families.pop(family, {}).items()}
        if found:
            made[topic.name] = _plot(topic, found, clock)
    left = {name: series for family in families.values() for name, series in family.items()}
    if left:
        made["others"] = _plot(Topic("others", (), OTHERS, "As they were looked at.", quantity), left, clock)
    return made


def _plot(topic: Topic, found: Mapping[str, Series], clock: Clock) -> Plot:
    tall = TALL if topic.name == "waiting" else _LOWER
    ordered = sorted(found, key=lambda name: (-max(abs(value) for _, value in found[name]), name))
    values = [value for series in found.values() for _, value in series]
    scale = linear(max(values), topic.named, min(values), tall)
    shown = ordered[: COLOURS + PALE]
    lines = [
        _line(found[name], scale, clock, f"line series-{place}" if place < COLOURS else "line pale")
        for place, name in enumerate(shown)
    ]
    legend = [(f"line series-{place}", _short(name, topic)) for place, name in enumerate(ordered[:COLOURS])]
    if len(ordered) > COLOURS:
        legend.append(("line pale", f"{len(shown) - COLOURS:,} more"))
    left_out = len(ordered) - len(shown)
    note = topic.note + (f" {counted(left_out, 'line')} with lower peaks not drawn." if left_out else "")
    return Plot(
        topic.name, topic.title, _words(ordered, found, topic), note, "".join(reversed(lines)), scale, legend, tall=tall
    )


def _short(name: str, topic: Topic) -> str:
    family, _, rest = name.partition("/")
    return rest if rest and family == next(iter(topic.families), None) else name


def _words(ordered: Sequence[str], found: Mapping[str, Series], topic: Topic) -> str:
    told = (
        f"{clean(name, 80)} at most {topic.named(max(value for _, value in found[name]))}, "
        f"at the end {topic.named(found[name][-1][1])}"
        for name in ordered[:COLOURS]
    )
    return "; ".join(told) + "."


def _line(series: Series, scale: Scale, clock: Clock, kind: str) -> str:
    ordered = sorted(series)
    steps = "".join(
        f"{'M' if begins else 'L'}{clock.x(at):.1f} {scale.y(value):.1f}"
        for at, value, begins in _broken(_peaks(ordered, clock))
    )
    return f'<path class="{kind}" d="{steps}"/>' if steps else ""


def _peaks(series: Series, clock: Clock) -> Series:
    """Of what falls into one place the value that is farthest from zero."""
    found: dict[int, tuple[float, float]] = {}
    for at, value in series:
        if clock.begin <= at <= clock.end:
            place = int(clock.x(at) * _BINS / 1000)
            if place not in found or abs(value) > abs(found[place][1]):
                found[place] = (at, value)
    return list(found.values())


def _broken(series: Series) -> Iterator[tuple[float, float, bool]]:
    """Each place, and whether a line begins there: nothing is drawn over a time in which nobody looked."""
    steps = [second[0] - first[0] for first, second in pairwise(series)]
    hole = _HOLE * median(steps) if steps else 0.0
    before: float | None = None
    for at, value in series:
        yield at, value, before is None or at - before > hole
        before = at
