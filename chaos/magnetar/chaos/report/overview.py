"""The page of all runs: scenario by safety, liveness and recovery, the worst unavailability first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from magnetar.chaos.report.facts import sign
from magnetar.chaos.report.figures import chosen, counted, seconds, when
from magnetar.chaos.report.markup import listed, said, tag
from magnetar.chaos.report.page import document
from magnetar.chaos.report.standing import facets, standing
from magnetar.chaos.report.suite import lines
from magnetar.chaos.report.tables import table
from magnetar.chaos.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.record.shape import Record
    from magnetar.chaos.report.standing import Facet
    from magnetar.chaos.report.suite import Line, Played

_HEADS = ("scenario", "verdict", "safety", "liveness", "recovery", "longest gap", "since the last run", "gaps so far")
_SPARK = 24
"""So many runs are in the small curve."""
_DAMAGED = 50
_WHYS = 4
_FOOT = (
    "Safety is what the checkers found, whatever it took. Liveness is whether all went on as it must while the fault "
    "was in force; recovery, whether all was as before in time. The longest gap is the longest stretch in which a "
    "group of keys had something to do and nothing of it was done; the stroke at its bar is its bound."
)


def overview(runs: Sequence[Played], damaged: Sequence[str] = ()) -> str:
    """The page of a folder of runs. `damaged` says of each that could not be read why."""
    found = lines(runs)
    tally = Counter(line.last.record.verdict for line in found)
    words = _headline(tally, len(found))
    scenarios = table("The last run of each scenario, the longest gap first", _HEADS, map(_line, found), "suite")
    body = (
        tag("p", "Chaos", class_="eyebrow"),
        tag("h1", words),
        tag("p", _span(runs), class_="story"),
        tag("ul", *(_count(verdict, tally[verdict]) for verdict in Verdict), class_="tally"),
        tag("section", tag("h2", "Scenarios"), scenarios),
        tag("section", tag("h2", "Not readable"), listed([said(each) for each in damaged], _DAMAGED))
        if damaged
        else "",
        tag("footer", _FOOT),
    )
    return document(f"Chaos: {words}", "".join(body))


def _headline(tally: Counter[Verdict], whole: int) -> str:
    if not whole:
        return "No run is here"
    if tally[Verdict.INVALID]:
        return f"{counted(tally[Verdict.INVALID], 'scenario')} of {whole} came to harm or late"
    if tally[Verdict.UNKNOWN]:
        return f"{tally[Verdict.VALID]} of {whole} scenarios are valid, {tally[Verdict.UNKNOWN]} show too little"
    return "The scenario is valid" if whole == 1 else f"All {whole} scenarios are valid"


def _span(runs: Sequence[Played]) -> str:
    if not runs:
        return ""
    begins = [run.record.began for run in runs]
    return f"{counted(len(runs), 'run')}, from {when(min(begins))} to {when(max(begins))}."


def _count(verdict: Verdict, number: int) -> str:
    return tag("li", tag("b", str(number)), verdict.value, class_=verdict.value)


def _line(line: Line) -> str:
    record = line.last.record
    name = tag("a", f"{said(record.scenario.id, 40)} {said(record.scenario.title, 160)}", href=line.last.address)
    told = tag("span", f"{counted(len(line.runs), 'run')}, seed {record.seed}", class_="runs")
    told += tag("span", when(record.began), class_="runs")
    trend = line.trend
    cells = (
        sign(record.verdict),
        *map(_facet, facets(record)),
        _gap(record, line.gaps[-1]),
        tag("span", said(trend.words), class_=f"trend {trend.kind}"),
        _spark(line.gaps[-_SPARK:]),
    )
    named = (tag("td", cell, data_head=head) for head, cell in zip(_HEADS[1:], cells, strict=True))
    return tag("tr", tag("th", name + told, scope="row"), *named, class_=record.verdict.value)


def _facet(facet: Facet) -> str:
    return sign(facet.verdict) + "".join(
        tag("span", said(part, 160), class_="why") for part in facet.why.split("; ")[:_WHYS]
    )


def _gap(record: Record, gap: float | None) -> str:
    bound = next((bound for bound in record.bounds if bound.name == "gap"), None)
    if gap is None or bound is None or bound.allowed <= 0:
        return tag("span", tag("b", seconds(gap)), class_="gap")
    reach = max(gap, bound.allowed)
    bar = tag(
        "span",
        tag("i", style=f"width:{min(1.0, max(0.0, gap / reach)) * 100:.1f}%"),
        tag("u", style=f"left:{bound.allowed / reach * 100:.1f}%"),
        class_=f"bar {standing(bound, starved=record.starved).value}",
        aria_hidden="true",
    )
    return tag("span", tag("b", seconds(gap)), f" of {chosen(bound.allowed)}", bar, class_="gap")


def _spark(gaps: Sequence[float | None]) -> str:
    """The gaps of the runs, oldest first, as a small curve from zero."""
    seen = [gap for gap in gaps if gap is not None]
    if len(seen) < 2:  # noqa: PLR2004 - one place is no curve
        return ""
    top = max(seen) * 1.15 or 1.0
    places = [(number * 100 / (len(seen) - 1), 26 - 24 * gap / top) for number, gap in enumerate(seen)]
    steps = " ".join(f"{x:.1f} {y:.1f}" for x, y in places)
    words = f"Longest gaps of {counted(len(seen), 'run')}: " + ", ".join(map(seconds, seen))
    return (
        '<svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" role="img">'
        f'<title>{said(words)}</title><path class="grid" d="M0 27H100"/><path class="spark-line" d="M{steps}"/>'
        f'<path class="spark-now" d="M{places[-1][0]:.1f} {places[-1][1]:.1f}h0"/></svg>'
    )
