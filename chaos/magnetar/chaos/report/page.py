"""A run as one self-contained HTML file: nothing is fetched, no script runs, whatever the keys say."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from magnetar.chaos.report import facts, lanes, latency, numbers, tables
from magnetar.chaos.report.clock import backdrop, clock_of, ruler
from magnetar.chaos.report.heading import heading
from magnetar.chaos.report.markup import said, tag
from magnetar.chaos.report.plot import drawn, figure
from magnetar.chaos.report.rates import rates
from magnetar.chaos.report.shares import shares, upright_grid
from magnetar.chaos.report.strips import strip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.chaos.record.keeping import Kept
    from magnetar.chaos.report.plot import Plot

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""To the browser: whatever slipped through would not run, and fetch nothing."""
_BAND = (
    "All plots share one axis, in time since the run began. Shaded: a fault, pale from the strike until it was proven "
    "to be in force, darker from there until it was proven to be over."
)
_FOOT = (
    "Times are from the intended start of an operation, so that a load which had to wait is not taken for a fast one. "
    "A run on a real cluster can be played again from its seed, but only nearly so. "
    "The figures are in record.json and summary.json beside this page, the verdicts in junit.xml too."
)


def page(kept: Kept, *, suite: str | None = None) -> str:
    """The page of a run. `suite` is the address of the page of all runs."""
    record = kept.record
    back = tag("p", tag("a", "All runs", href=suite), class_="crumb") if suite else ""
    return document(
        f"{record.scenario.id} {record.scenario.title}: {record.verdict.value}", back + "".join(_parts(kept))
    )


def document(title: str, body: str) -> str:
    """A whole document around this body."""
    style = resources.files("magnetar.chaos.report").joinpath("style.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{said(title)}</title><style>{style}</style></head><body>"
        f'<a class="skip" href="#main">To the verdict</a><main id="main">{body}</main></body></html>\n'
    )


def _parts(kept: Kept) -> Iterator[str]:
    record = kept.record
    yield heading(record)
    yield _section(
        "At a glance", facts.times(record), facts.damage(record), tag("p", facts.load(record), class_="crumb load")
    )
    wrong = tables.witnesses(kept)
    if wrong:
        yield _section("What is wrong", wrong)
    yield _section("What was done to it", facts.faults(record))
    yield _section("Over time", _over_time(kept))
    yield _section("Before, during and after", _spread(kept))
    yield _section("What was looked for", tag("div", tables.checks(record), _right(kept), class_="two"))
    yield _section("The plan", tables.plan(record))
    yield tag("footer", _FOOT)


def _section(title: str, *inner: str) -> str:
    return tag("section", tag("h2", title), *inner)


def _over_time(kept: Kept) -> str:
    clock = clock_of(kept)
    shown = (drawn(plot, clock) for plot in _plots(kept))
    return tag(
        "div",
        backdrop(kept.record, clock),
        ruler(kept.record, clock),
        tag("p", _BAND, class_="intro"),
        *shown,
        class_="plots",
    )


def _plots(kept: Kept) -> Iterator[Plot]:
    clock = clock_of(kept)
    looked = numbers.plots(kept.samples, clock)
    yield latency.every(kept.points, clock)
    yield latency.quantiles(kept.points, clock)
    yield rates(kept.points, clock)
    if kept.points:
        yield strip(kept.points, kept.record.measures.gaps, clock)
    yield from (looked[name] for name in ("waiting", "ahead", "lag", "money", "stock") if name in looked)
    yield from lanes.plots(kept.owners, clock)
    yield from (looked[name] for name in ("hands", "counted", "pressure", "others") if name in looked)


def _spread(kept: Kept) -> str:
    curves = tag("div", figure(shares(kept.points), upright_grid(kept.points)), class_="plots alone")
    return tag("div", curves, tables.latencies(kept.record), class_="two")


def _right(kept: Kept) -> str:
    record = kept.record
    return tag("div", tables.needs(record), tables.alarms(record), tables.situations(kept), class_="stack")
