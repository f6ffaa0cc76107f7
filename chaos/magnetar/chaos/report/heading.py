"""The top of a run's page: the verdict with its reasons, what was played, and on what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.report.facts import SIGNS, sign
from magnetar.chaos.report.figures import NONE, seconds, when
from magnetar.chaos.report.markup import listed, said, tag
from magnetar.chaos.report.standing import facets, safety
from magnetar.chaos.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.chaos.record.shape import Record

REASONS = 30
_COMMIT = 12


def heading(record: Record) -> str:
    """Verdict first."""
    verdict = record.verdict
    badge = tag("div", tag("span", SIGNS[verdict], aria_hidden="true"), tag("b", verdict.value), class_="badge")
    scenario = record.scenario
    return tag(
        "header",
        badge,
        tag(
            "div",
            tag("p", said(scenario.id, 40), class_="eyebrow"),
            tag("h1", said(scenario.title, 200)),
            tag("p", lead(record), class_="lead"),
            listed([said(reason) for reason in record.reasons], REASONS, class_="reasons"),
            tag("p", said(scenario.text, 4000), class_="story"),
            tag("ul", *_facets(record), class_="facets"),
            class_="what",
        ),
        tag("dl", *_facts(record), class_="facts"),
        class_=f"top {verdict.value}",
    )


def lead(record: Record) -> str:
    """The verdict in a sentence."""
    safe = safety(record).verdict
    if record.verdict is Verdict.VALID:
        return "Nothing came to harm, and all was in time."
    if record.verdict is Verdict.UNKNOWN:
        return "This run shows too little to be called valid, and nothing that is wrong."
    if safe is Verdict.INVALID:
        return "Something came to harm."
    return "Nothing came to harm, but not all went on in time." if safe is Verdict.VALID else "Something is wrong."


def _facets(record: Record) -> Iterator[str]:
    for facet in facets(record):
        yield tag("li", tag("b", facet.name), sign(facet.verdict), tag("span", said(facet.why, 300), class_="because"))


def _facts(record: Record) -> Iterator[str]:
    versions = record.versions
    facts = (
        ("began", when(record.began)),
        ("took", seconds(record.took)),
        ("seed", str(record.seed)),
        ("profile", record.profile),
        ("commit", record.commit[:_COMMIT]),
        ("Magnetar", versions.magnetar),
        ("Pulsar", versions.pulsar),
        ("PostgreSQL", versions.postgresql),
        ("Python", versions.python),
        ("run", record.id),
    )
    for name, value in facts:
        yield tag("div", tag("dt", name), tag("dd", said(value, 80) or NONE))
    if record.starved:
        yield tag("div", tag("dt", "machine"), tag("dd", "starved: timing shows nothing"), class_="starved")
